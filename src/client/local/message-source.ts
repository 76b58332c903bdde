import type { Digest } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import { StillageError } from "../../base/errors.ts";
import { hashOf } from "../../base/hash.ts";
import { LruMap } from "../../base/lru-map.ts";
import type { ArtifactName } from "../../store/artifact-refs.ts";
import type { BlobSource, TakeBatch } from "../blob-place.ts";
import type { RefShelf } from "./ref-shelf.ts";

/** Names that are remembered, at some 300 bytes each. */
const maxNames = 100_000;

/** The messages of artifacts that were found, as blobs: the real program makes them such when it pushes, and what it built has them in its refs alone. */
export class MessageSource implements BlobSource {
  private readonly refs: RefShelf;
  private readonly names = new LruMap<string, ArtifactName>(maxNames);

  constructor(refs: RefShelf) {
    this.refs = refs;
  }

  found({ hash }: Digest, name: ArtifactName): void {
    this.names.set(hash, name);
  }

  /** `undefined` for one that was not found, or is another by now. */
  messageOf(digest: Digest): Uint8Array | undefined {
    const name = digest.function === sha256 ? this.names.get(digest.hash) : undefined;
    const bytes = name && this.refs.read(name.project, name.element, name.key);
    return bytes !== undefined && hashOf(sha256, bytes) === digest.hash ? bytes : undefined;
  }

  async readMany(digests: readonly Digest[], take: TakeBatch): Promise<Digest[]> {
    const missing: Digest[] = [];
    for (const digest of digests) {
      const bytes = this.messageOf(digest);
      if (bytes === undefined) missing.push(digest);
      else await take({ blobs: [{ digest, bytes }], memory: undefined });
    }
    return missing;
  }

  async *read(digest: Digest, offset: number): AsyncGenerator<Uint8Array> {
    const bytes = this.messageOf(digest);
    if (bytes === undefined) throw new StillageError("not-found", `${digest.hash} is not in the cache`);
    yield bytes.subarray(offset);
  }
}
