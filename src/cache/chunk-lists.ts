import { type Digest, keyOfDigest } from "../base/digest.ts";
import { DigestList } from "../base/digest-list.ts";
import type { Tenant } from "./tenant.ts";

/** Memory for all lists: those of some 200 GB of blobs. */
export const maxListBytes = 16 << 20;

/** What an entry takes besides its digests. */
const entryBytes = 300;

const keyOf = (tenant: Tenant, blob: Digest): string => `${tenant.name}\n${keyOfDigest(blob)}`;
const bytesOf = ({ words, sizes }: DigestList): number => words.byteLength + sizes.byteLength + entryBytes;

/**
 * Into which chunks blobs were cut, the last used ones. Content does not change, so a list stays true for ever; whether its chunks are still
 * there is another question. What is forgotten is worked out again: nothing of this has to outlive the process.
 */
export class ChunkLists {
  private readonly maxBytes: number;
  private readonly lists = new Map<string, DigestList>();
  private bytes = 0;

  constructor(maxBytes: number = maxListBytes) {
    this.maxBytes = maxBytes;
  }

  get(tenant: Tenant, blob: Digest): DigestList | undefined {
    const key = keyOf(tenant, blob);
    const list = this.lists.get(key);
    if (list === undefined) return undefined;
    // A Map keeps the order of insertion: what stands first was used last the longest ago.
    this.lists.delete(key);
    this.lists.set(key, list);
    return list;
  }

  set(tenant: Tenant, blob: Digest, chunks: DigestList): void {
    const list = new DigestList(chunks.function, chunks.length);
    for (let i = 0; i < chunks.length; i++) list.append(chunks, i);
    const key = keyOf(tenant, blob);
    this.drop(key);
    this.lists.set(key, list);
    this.bytes += bytesOf(list);
    for (const oldest of this.lists.keys()) {
      if (this.bytes <= this.maxBytes) return;
      this.drop(oldest);
    }
  }

  private drop(key: string): void {
    const list = this.lists.get(key);
    if (list === undefined) return;
    this.lists.delete(key);
    this.bytes -= bytesOf(list);
  }
}
