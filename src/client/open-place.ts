import { StillageError } from "../base/errors.ts";
import { isProblems } from "../config/load.ts";
import { parseRemoteText } from "./configuration/remote-text.ts";
import type { Reachability } from "./connection/reachability.ts";
import { type KnownPlaces, namedPlace } from "./named-place.ts";
import type { Place } from "./place.ts";
import type { RemoteSpec } from "./remote-spec.ts";

export interface OpenPlaceOptions {
  /** Whether artifacts are to be written there: servers are asked if they let us, and a tar file may be made. */
  readonly mode: "read" | "write";
  /** Of a server's directory, where it has several. */
  readonly instance: string | undefined;
  /** What of servers is remembered. One that is named is tried all the same. */
  readonly reachability: Reachability | undefined;
  readonly signal: AbortSignal;
}

/**
 * Opens a place by what somebody calls it (`namedPlace`). Errors: `invalid` for what is no place; those of the remote, of the tar file and of the store.
 */
export async function openPlace(text: string, known: KnownPlaces, options: OpenPlaceOptions): Promise<Place> {
  const named = namedPlace(text, known);
  if (options.instance !== undefined && named.kind !== "store") {
    throw new StillageError(
      "invalid",
      `${JSON.stringify(text)} is no store of a server, of which an instance can be named`,
      {
        hint: "the instance of a remote stands in its configuration, or in url=URL,instance-name=NAME",
      },
    );
  }
  // Each kind needs much that the others do not.
  switch (named.kind) {
    case "local cache": {
      const { openLocalCache } = await import("./local/open-local-cache.ts");
      return openLocalCache(named.directory, named.artifacts);
    }
    case "remote":
      return openNamed(named.spec, options);
    case "address":
      return openNamed(addressed(named.text, known, options), options);
    case "tar file": {
      const { openArtifactTar } = await import("./local/open-artifact-tar.ts");
      return openArtifactTar(named.path, options.mode, options.signal);
    }
    case "store": {
      const { openStorePlace } = await import("./store-place.ts");
      return openStorePlace(named.directory, options.instance);
    }
  }
}

function addressed(text: string, { named }: KnownPlaces, { mode }: OpenPlaceOptions): RemoteSpec {
  const purpose = mode === "write" ? "push" : "pull";
  const context = { purpose, named, workingDirectory: process.cwd(), environment: process.env } as const;
  const spec = parseRemoteText(text, context);
  if (!isProblems(spec)) return spec;
  throw new StillageError("invalid", spec.map(({ message }) => message).join("; "));
}

async function openNamed(spec: RemoteSpec, { mode, reachability, signal }: OpenPlaceOptions): Promise<Place> {
  const { openRemotes } = await import("./connection/open-remotes.ts");
  const opened = await openRemotes([spec], { reachability, insist: true, askPush: mode === "write", signal });
  const [place] = opened.open;
  if (place !== undefined) return place;
  throw opened.left[0]?.error ?? new StillageError("unavailable", `${spec.name} cannot be used`);
}
