import type { Generation } from "../../store/artifact-refs.ts";
import type { Place } from "../place.ts";
import type { RemoteSpec } from "../remote-spec.ts";
import type { StorageCapabilities } from "../storage/capabilities.ts";
import type { Answer } from "./answer.ts";
import type { Product } from "./product.ts";

/** What a server may speak, as people are told. */
export type ProtocolName =
  | "Remote Asset" // 1.93.5 and later
  | "Remote Asset v1" // 1.5.1 to 1.6
  | "ReferenceStorage" // 1.1.4 to 1.6
  | "ArtifactService" // 1.91 to 1.93.4
  | "CAS"
  | "OSTree"; // 1.0 to 1.1.3

/** A protocol that a server speaks, and what it lets us do. */
export interface RemoteProtocol {
  readonly name: ProtocolName;
  /** Whose artifacts it names; `undefined` for that of the blobs. */
  readonly generation: Generation | undefined;
  readonly pull: Answer;
  readonly push: Answer;
}

/** A server that was asked what it speaks. */
export interface RemotePlace extends Place {
  readonly spec: RemoteSpec;
  readonly protocols: readonly RemoteProtocol[];
  readonly product: Product | undefined;
  /** `undefined` where it has no blobs for us. */
  readonly storage: StorageCapabilities | undefined;
  /** Until when its certificate is good, in milliseconds since 1970; `undefined` without TLS. */
  readonly certificateEnd: number | undefined;
  /** What the configuration asks for and the server does not do, a sentence each; what it does do can be used. */
  readonly shortcomings: readonly string[];
  /** How long one small call takes, in milliseconds. Errors: as of an index. */
  roundTrip(signal: AbortSignal): Promise<number>;
}
