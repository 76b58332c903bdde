import { createHash } from "node:crypto";
import { blobOf, type TestBlob } from "../conformance/support/blobs.ts";

/** A blob that its number and size alone tell, so that nobody has to keep it to know it again. */
export function soakBlob(number: number, size: number): TestBlob {
  const seed = createHash("sha256").update(`soak ${number}`).digest();
  const data = Buffer.alloc(size, seed);
  data.writeUInt32BE(number, 0);
  return blobOf(data);
}

interface NewBlob {
  readonly number: number;
  readonly size: number;
  readonly blob: TestBlob;
}

/** What the server has acknowledged. */
export class Acknowledged {
  private readonly blobs: { readonly number: number; readonly size: number; readonly digest: TestBlob["digest"] }[] =
    [];
  readonly assets: { readonly uri: string; readonly hash: string }[] = [];
  readonly results: { readonly action: TestBlob["digest"]; readonly hash: string }[] = [];
  private numbers = 0;

  newBlob(size: number): NewBlob {
    const number = this.numbers++;
    return { number, size, blob: soakBlob(number, size) };
  }

  add({ number, size, blob: { digest } }: NewBlob): void {
    this.blobs.push({ number, size, digest });
  }

  get count(): number {
    return this.blobs.length;
  }

  /** One of the blobs, by a number from 0 to 1. */
  pick(at: number): TestBlob | undefined {
    const found = this.blobs[Math.floor(at * this.blobs.length)];
    return found && soakBlob(found.number, found.size);
  }

  all(): TestBlob["digest"][] {
    return this.blobs.map(({ digest }) => digest);
  }
}
