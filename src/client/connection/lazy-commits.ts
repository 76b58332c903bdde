import { StillageError } from "../../base/errors.ts";
import type { BlobReader } from "../../store/blob-store.ts";
import type { CommitStore } from "../commit-store.ts";
import type { OstreePlace } from "../ostree/ostree-place.ts";
import type { RemoteSpec } from "../remote-spec.ts";

/** The commits of a server that is asked for them only when somebody wants one: its summary names all that it has. Disposing closes what was opened. */
export interface LazyCommits extends AsyncDisposable {
  readonly commits: CommitStore;
}

/** The commits that a Stillage serves beside gRPC at the same URL. `undefined` where HTTP cannot be asked there. `signal`: of all that is done with them. */
export function lazyCommits(spec: RemoteSpec, signal: AbortSignal): LazyCommits | undefined {
  const url = spec.url.replace(/^grpc(s?):/, "http$1:");
  if (!/^https?:/.test(url)) return undefined;
  let opened: Promise<OstreePlace> | undefined;
  const open = (): Promise<OstreePlace> => {
    opened ??= openPlace({ ...spec, url }, signal).catch((error: unknown) => {
      opened = undefined; // it may go well the next time
      throw error;
    });
    return opened;
  };
  const blobs = async (): Promise<BlobReader> => (await open()).commits.blobs;
  return {
    commits: {
      objects: {
        get: async (path, maxBytes) => (await open()).commits.objects.get(path, maxBytes),
        size: async (path) => (await open()).commits.objects.size?.(path),
      },
      blobs: {
        missing: async (digests) => (await blobs()).missing(digests),
        sizeOf: async (fn, hash) => (await blobs()).sizeOf(fn, hash),
        sizesOf: async (hashes) => (await blobs()).sizesOf(hashes),
        open: async (digest) => (await blobs()).open(digest),
        readBatch: async (digests) => (await blobs()).readBatch(digests),
      },
      repository: undefined,
      take: spec.push
        ? async (artifact, from, options) => {
            const { commits, notWritable } = await open();
            if (commits.take !== undefined) return commits.take(artifact, from, options);
            throw notWritable ?? new StillageError("forbidden", `${spec.name} takes no artifacts of BuildStream 1.0`);
          }
        : undefined,
    },
    async [Symbol.asyncDispose]() {
      const place = await opened?.catch(() => undefined);
      await place?.[Symbol.asyncDispose]();
    },
  };
}

/** What is needed for commits is loaded for them alone. */
async function openPlace(spec: RemoteSpec, signal: AbortSignal): Promise<OstreePlace> {
  const { openOstreeRemote } = await import("../ostree/open-ostree-remote.ts");
  return openOstreeRemote(spec, { signal });
}
