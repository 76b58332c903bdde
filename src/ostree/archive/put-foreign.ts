import { sha256 } from "../../base/digest-function.ts";
import { StillageError } from "../../base/errors.ts";
import { hashOf } from "../../base/hash.ts";
import { checkMetadata } from "../check-metadata.ts";
import { readFilez } from "../filez.ts";
import { maxMetadataBytes } from "../metadata-limit.ts";
import type { ObjectName } from "../object-name.ts";
import { NewFile, writeNewFile } from "./durable-file.ts";

/** Writes an object of somebody else's to a new file, and verifies it on the way. Errors: `invalid` for what it is not; those of the source. */
export async function writeForeign(name: ObjectName, source: AsyncIterable<Uint8Array>, path: string): Promise<void> {
  if (name.type === "file") return writeFilez(name.checksum, source, path);
  const bytes = await gather(source, maxMetadataBytes);
  if (hashOf(sha256, bytes) !== name.checksum) throw new StillageError("invalid", "its bytes have another checksum");
  checkMetadata(name.type, bytes);
  await writeNewFile(path, bytes);
}

async function writeFilez(checksum: string, source: AsyncIterable<Uint8Array>, path: string): Promise<void> {
  const file = await NewFile.create(path);
  async function* written(): AsyncGenerator<Uint8Array> {
    for await (const piece of source) {
      await file.write(piece);
      yield piece;
    }
  }
  try {
    const { content } = await readFilez(written(), checksum);
    for await (const _piece of content);
  } catch (error) {
    await file.drop();
    throw error;
  }
  await file.finish();
}

/** All of a source in one piece. Errors: `invalid` for more than `limit` bytes. */
export async function gather(source: AsyncIterable<Uint8Array>, limit: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of source) {
    length += piece.length;
    if (length > limit) throw new StillageError("invalid", `it is larger than ${limit} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
