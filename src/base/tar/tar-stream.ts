import { badArchive } from "./archive-error.ts";
import type { ByteSource } from "./byte-source.ts";
import { parsePaxRecords } from "./pax-records.ts";
import { blockBytes, isZero, padded, parseTarHeader } from "./tar-header.ts";

/** What tar programs write at a time: the last of them is filled with zero bytes (GNU tar manual, "Blocking"). */
const recordBytes = 10_240;

const fileTypes: ReadonlySet<string> = new Set(["0", "7"]);

/** Extended headers are held whole; honest ones have some hundred bytes. */
const maxRecordsBytes = 1 << 20;

/**
 * The bytes of an archive that stands in a stream where other things follow it, as they come, each piece valid until the next: to the two blocks of
 * zeros that end it, and on to a multiple of 10,240 bytes counted from its beginning. Errors: `failed-precondition` for what is no archive, and one that breaks off.
 */
export async function* tarStream(source: ByteSource): AsyncGenerator<Uint8Array> {
  let length = 0;
  let paxSize: number | undefined;
  const next = async (bytes: number): Promise<Uint8Array> => {
    const taken = await source.take(bytes);
    if (taken === undefined) throw badArchive("it breaks off");
    length += bytes;
    return taken;
  };
  for (;;) {
    const block = await next(blockBytes);
    const end = isZero(block);
    const { type, size } = end ? { type: "", size: 0 } : parseTarHeader(block);
    yield block;
    if (end) break;
    if (type === "x") {
      if (size > maxRecordsBytes) throw badArchive("an extended header is too long");
      const records = await next(padded(size));
      paxSize = parsePaxRecords(records.subarray(0, size)).size ?? paxSize;
      yield records;
      continue;
    }
    // Of an entry that is not an extension, what such a header said of its size counts.
    const extension = type === "g" || type === "L" || type === "K";
    const content = padded(extension ? size : (paxSize ?? size));
    // Of directories and the like, some programs take the size for that of a content, and others do not.
    if (content > 0 && !extension && !fileTypes.has(type)) throw badArchive("what is no file has a size");
    if (!extension) paxSize = undefined;
    length += content;
    yield* source.pieces(content);
  }
  const second = await next(blockBytes);
  if (!isZero(second)) throw badArchive("one block of zeros is not its end");
  yield second;
  const rest = (recordBytes - (length % recordBytes)) % recordBytes;
  yield* source.pieces(rest);
}
