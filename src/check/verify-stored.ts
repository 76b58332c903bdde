import type { Digest } from "../base/digest.ts";
import { DigestList } from "../base/digest-list.ts";
import { runningHash } from "../base/hash.ts";
import { isPromise } from "../base/maybe-promise.ts";
import type { Slices } from "../base/slices.ts";
import { headLength, headMatches } from "../store/batch-entry.ts";
import type { PieceReader } from "./piece-reader.ts";

/** Hashed at a time: a fraction of a millisecond, with the slowest function some more. */
const stepBytes = 64 << 10;

/** Why what stands at a place is not the record of this blob; `undefined` where it is. */
export async function wrongRecord(
  reader: PieceReader,
  offset: number,
  digest: Digest,
  slices: Slices,
): Promise<string | undefined> {
  const head = headLength(digest.function, digest.size);
  const bytes = await reader.view(offset, head);
  const { words } = DigestList.of(digest);
  if (!headMatches(bytes, 0, digest.function, words, 0, digest.size))
    return "another head than the blob's stands there";
  return wrongBytes(reader, offset + head, digest, slices);
}

/** Why the bytes from a position on are not this blob's; `undefined` where they are. */
export async function wrongBytes(
  reader: PieceReader,
  position: number,
  { function: fn, hash, size }: Digest,
  slices: Slices,
): Promise<string | undefined> {
  const hashed = runningHash(fn);
  for (let done = 0; done < size; ) {
    const piece = await reader.view(position + done, 1);
    if (piece.length === 0) return `the file ends after ${done} of its ${size} bytes`;
    const until = Math.min(piece.length, size - done);
    for (let at = 0; at < until; at += stepBytes) {
      if (slices.over) await slices.rest();
      const taken = hashed.update(piece.subarray(at, Math.min(at + stepBytes, until)));
      if (isPromise(taken)) await taken;
    }
    done += until;
  }
  const found = await hashed.digest("hex");
  if (found === hash) return undefined;
  return found === undefined ? `its bytes are not what ${fn.name} names` : `its bytes have the hash ${found}`;
}
