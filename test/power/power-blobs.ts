import { type Digest, digestOf } from "../../src/base/digest.ts";
import { ostree, sha1, sha256 } from "../../src/base/digest-function.ts";
import { filezOf, hashOfContent } from "../../src/base/filez.fixture.ts";

/** A blob that its number alone tells, so that two processes agree on it. */
export interface PowerBlob {
  readonly number: number;
  readonly tenant: string;
  readonly digest: Digest;
  readonly bytes: Buffer;
}

/** The kinds of blobs, and the number of the first of each. */
export const firstOf = { small: 0, bulk: 100_000, file: 200_000, direct: 300_000 } as const;

/** What is larger than this lies in a file of its own, and what has 4 MiB is written past the page cache. */
const fileBytes = (1 << 20) + 1;
const directBytes = 4 << 20;

const known = new Map<number, PowerBlob>();

export function blobOf(number: number): PowerBlob {
  let blob = known.get(number);
  if (blob === undefined) {
    const content = Buffer.alloc(sizeOf(number), `${number},`);
    const tenant = number % 3 === 0 ? "" : "team/a";
    blob = { number, tenant, ...(number % 10 === 5 ? fileObjectOf(content) : blobOfBytes(number, content)) };
    known.set(number, blob);
  }
  return blob;
}

function blobOfBytes(number: number, bytes: Buffer): Pick<PowerBlob, "digest" | "bytes"> {
  return { digest: digestOf(number % 10 === 0 ? sha1 : sha256, bytes), bytes };
}

/** A file object of OSTree, which has some bytes more than its content. */
function fileObjectOf(content: Buffer): Pick<PowerBlob, "digest" | "bytes"> {
  const bytes = filezOf(content, 0);
  return { digest: { function: ostree, hash: hashOfContent(content), size: bytes.length }, bytes };
}

function sizeOf(number: number): number {
  if (number >= firstOf.direct) return directBytes + (number % 1000);
  if (number >= firstOf.file) return fileBytes + (number % 1000) * 7;
  if (number >= firstOf.bulk) return 90_000 + (number % 1000);
  return number % 10 === 9 ? 5000 + number : 20 + (number % 50) * 20;
}
