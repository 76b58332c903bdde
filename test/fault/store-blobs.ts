import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Digest, digestOf } from "../../src/base/digest.ts";
import { type DigestFunction, ostree, sha1, sha256 } from "../../src/base/digest-function.ts";
import { filezOf, hashOfContent } from "../../src/base/filez.fixture.ts";

/** A blob that its number alone tells, so that two processes agree on it. */
export interface NumberedBlob {
  readonly number: number;
  readonly tenant: string;
  readonly digest: Digest;
  readonly bytes: Buffer;
}

/** What has been hashed: the tests of a process check the same blobs many times. */
const digests = new Map<number, Digest>();

/** Every hundredth is larger than what goes into packs; most are small, and each has its number within. */
export function blobOf(number: number): NumberedBlob {
  const tenant = tenantOf(number);
  const known = digests.get(number);
  if (known !== undefined) {
    return {
      ...{ number, tenant, digest: known },
      get bytes() {
        return bytesOf(number);
      },
    };
  }
  const bytes = bytesOf(number);
  const digest = isFileObject(number)
    ? { function: ostree, hash: hashOfContent(plainOf(number)), size: bytes.length }
    : digestOf(functionOf(number), bytes);
  digests.set(number, digest);
  return { number, tenant, digest, bytes };
}

function bytesOf(number: number): Buffer {
  if (!isFileObject(number)) return contentOf(number);
  return filezOf(plainOf(number), isDenseObject(number) ? 1 : 0);
}

function contentOf(number: number): Buffer {
  const size = number % 100 === 99 ? 1_100_000 + number : number % 10 === 9 ? 20_000 + number : 20 + (number % 400) * 3;
  return Buffer.alloc(size, `blob ${number},`);
}

/** Whether a blob is a file of its own: it is large, or a file object of OSTree with few bytes and much content. */
export function liesInFile(number: number): boolean {
  return number % 100 === 99 || isDenseObject(number);
}

const isDenseObject = (number: number): boolean => number % 1100 === 5;

const isFileObject = (number: number): boolean => number % 11 === 5;

/** The content of a file object of OSTree; some have few bytes and so much content that they lie in no pack. */
function plainOf(number: number): Buffer {
  const content = contentOf(number);
  return isDenseObject(number) ? Buffer.concat([content, Buffer.alloc(9 << 20)]) : content;
}

/** The nameless tenant has every second blob, and of the others each hundred thousand has a tenant of its own. */
function tenantOf(number: number): string {
  return number % 2 === 0 ? "" : `team/${Math.floor(number / 100_000)}`;
}

function functionOf(number: number): DigestFunction {
  return number % 3 === 0 ? sha1 : sha256;
}

export function randomBlob(size: number): { digest: Digest; bytes: Buffer } {
  const bytes = randomBytes(size);
  return { digest: digestOf(sha256, bytes), bytes };
}

/** A folder that is gone when it is disposed of. */
export async function temporaryDirectory(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "stillage-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
