import { sha256 } from "../../base/digest-function.ts";
import { StillageError } from "../../base/errors.ts";
import type { MessageType } from "../../base/message.ts";
import { RpcError } from "../../rpc/client/rpc-error.ts";
import { grpcStatus } from "../../rpc/status.ts";
import type { RemoteSpec } from "../remote-spec.ts";
import { type StorageCapabilities, unknownCapabilities } from "../storage/capabilities.ts";
import { type Answer, allowed, answerOf, unasked } from "./answer.ts";
import { bstCapabilities, serverCapabilities, statusResponse } from "./probe-messages.ts";
import type { Outcomes, Question } from "./probe-questions.ts";
import type { RemoteProtocol } from "./remote-place.ts";

/** What the answers to a probe come to. */
export class ProbeAnswers {
  private readonly outcomes: Outcomes;
  private readonly spec: Pick<RemoteSpec, "name" | "instanceName">;
  private readonly translate: (question: Question, error: RpcError) => Promise<StillageError>;

  constructor(
    outcomes: Outcomes,
    spec: Pick<RemoteSpec, "name" | "instanceName">,
    translate: (question: Question, error: RpcError) => Promise<StillageError>,
  ) {
    this.outcomes = outcomes;
    this.spec = spec;
    this.translate = translate;
  }

  /** The protocols that the server has, whether or not for us: those of names by their generation, the newest first. */
  async protocols(): Promise<RemoteProtocol[]> {
    const [status, capabilities] = [
      this.message("status", statusResponse),
      this.message("bstCapabilities", bstCapabilities),
    ];
    const all: RemoteProtocol[] = [
      await this.assets("Remote Asset", "2.x", "fetchBlob", "pushBlob"),
      {
        ...{ name: "ArtifactService", generation: "1.9x", pull: await this.answer("bstCapabilities") },
        push: this.said(capabilities?.artifactCapabilities?.allowUpdates ?? false),
      },
      await this.assets("Remote Asset v1", "1.x", "fetchDirectory", "pushDirectory"),
      {
        ...{ name: "ReferenceStorage", generation: "1.x", pull: await this.answer("status") },
        push: this.said(status?.allowUpdates ?? false),
      },
      {
        ...{ name: "CAS", generation: undefined, pull: await this.storagePull() },
        push: await this.storagePush(),
      },
    ];
    return all.filter(({ pull }) => pull.kind !== "absent" && pull.kind !== "unasked");
  }

  /** What its storage says of itself. */
  get storage(): StorageCapabilities {
    const cache = this.message("capabilities", serverCapabilities)?.cacheCapabilities;
    if (cache === undefined) return unknownCapabilities;
    return {
      maxBatchBytes: limitOf(cache.maxBatchTotalSizeBytes),
      maxBlobBytes: limitOf(cache.maxCasBlobSizeBytes),
      updates: cache.actionCacheUpdateCapabilities?.updateEnabled,
    };
  }

  /** Whether the server does not know a question. */
  lacks(question: Question): boolean {
    const outcome = this.outcomes.get(question);
    return outcome === undefined || (outcome instanceof RpcError && outcome.code === grpcStatus.unimplemented);
  }

  private async assets(
    name: RemoteProtocol["name"],
    generation: RemoteProtocol["generation"],
    fetch: Question,
    push: Question,
  ): Promise<RemoteProtocol> {
    return { name, generation, pull: await this.answer(fetch), push: await this.answer(push) };
  }

  private async storagePull(): Promise<Answer> {
    const pull = await this.answer("findMissing");
    const { cacheCapabilities } = this.message("capabilities", serverCapabilities) ?? {};
    const functions = cacheCapabilities?.digestFunctions ?? [];
    if (pull.kind !== "allowed" || functions.length === 0 || functions.includes(sha256.value)) return pull;
    const error = new StillageError(
      "unsupported",
      `${this.spec.name} has no blobs by SHA-256, which artifacts are made of`,
    );
    return { kind: "failed", error };
  }

  /** Where there are no batches, only trying tells. */
  private async storagePush(): Promise<Answer> {
    const push = await this.answer("batchUpdate");
    return push.kind === "absent" ? unasked : push;
  }

  private said(mayPush: boolean): Answer {
    if (mayPush) return allowed;
    return {
      kind: "refused",
      error: new StillageError("forbidden", `${this.spec.name} says that it takes no artifacts`),
    };
  }

  private async answer(question: Question): Promise<Answer> {
    const outcome = this.outcomes.get(question);
    if (outcome === undefined) return unasked;
    return answerOf(outcome instanceof RpcError ? outcome : undefined, this.spec.instanceName !== "", (error) =>
      this.translate(question, error),
    );
  }

  /** The message that a question was answered with; `undefined` also for bytes that are none. */
  private message<Shape extends object>(question: Question, type: MessageType<Shape>): Shape | undefined {
    const outcome = this.outcomes.get(question);
    if (outcome === undefined || outcome instanceof RpcError) return undefined;
    try {
      return type.decode(outcome);
    } catch {
      return undefined;
    }
  }
}

/** Negative limits, which mean nothing, are as none. */
const limitOf = (value: number): number => Math.max(0, value);
