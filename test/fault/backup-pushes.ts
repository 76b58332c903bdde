import { type Digest, digestOf } from "../../src/base/digest.ts";
import { sha256 } from "../../src/base/digest-function.ts";
import type { RefName } from "../../src/store/ref-store.ts";

/** The blobs of a push, which its number alone tells: a small one, and in every tenth a large one. */
export function blobsOf(number: number): { digest: Digest; bytes: Buffer }[] {
  const sizes = number % 10 === 7 ? [20 + (number % 900), 1_100_000 + number] : [20 + (number % 900)];
  return sizes.map((size) => {
    const bytes = Buffer.alloc(size, `push ${number},`);
    return { digest: digestOf(sha256, bytes), bytes };
  });
}

export function refNameOf(number: number): RefName {
  return { space: "asset", instance: "", name: `push ${number}` };
}
