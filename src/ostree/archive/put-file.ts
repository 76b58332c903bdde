import { StillageError } from "../../base/errors.ts";
import { type FileHeader, fileChecksum, filezHead, isSymlink } from "../../base/ostree-file.ts";
import type { Checksum } from "../object-name.ts";
import { blockBytes, deflated, deflatedBlocks } from "./deflate.ts";
import { NewFile, writeNewFile } from "./durable-file.ts";
import type { ObjectStaging } from "./object-staging.ts";

/** Content at hand, or in pieces. */
export type Content = Uint8Array | AsyncIterable<Uint8Array>;

/** Bytes up to which a file is in memory whole. */
export const wholeBytes = blockBytes;

/**
 * Makes a file object of plain content, unless it is there: the content is hashed before it is deflated, because deflating takes ten times as long. Content
 * above `wholeBytes` is opened twice for that, and has to be the same both times.
 * Errors: `invalid` for another size or changed content; those of the content.
 */
export async function putFile(
  staging: ObjectStaging,
  header: FileHeader,
  size: number,
  open: () => Content | Promise<Content>,
  level: number,
): Promise<Checksum> {
  const first = isSymlink(header) ? new Uint8Array() : await open();
  const whole = await wholeOf(first, size);
  if (whole !== undefined) return putWhole(staging, header, whole, level);

  const checksum = await consume(hashing(header, size, first));
  await staging.add({ checksum, type: "file" }, async (path) => {
    const file = await NewFile.create(path);
    try {
      await file.write(filezHead(header, size));
      const again = hashing(header, size, await open());
      for await (const piece of deflatedBlocks(again, level)) await file.write(piece);
      if (again.checksum !== checksum) throw new StillageError("invalid", "its content changed while it was read");
    } catch (error) {
      await file.drop();
      throw error;
    }
    await file.finish();
  });
  return checksum;
}

async function putWhole(
  staging: ObjectStaging,
  header: FileHeader,
  content: Uint8Array,
  level: number,
): Promise<Checksum> {
  const hash = fileChecksum(header);
  hash.update(content);
  const checksum = hash.digest("hex");
  await staging.add({ checksum, type: "file" }, async (path) => {
    const head = filezHead(header, content.length);
    await writeNewFile(path, isSymlink(header) ? head : Buffer.concat([head, await deflated(content, level)]));
  });
  return checksum;
}

/** Small content in one piece; `undefined` for what is larger. Errors: `invalid` for another size. */
async function wholeOf(content: Content, size: number): Promise<Uint8Array | undefined> {
  if (size > wholeBytes) return undefined;
  if (content instanceof Uint8Array) {
    if (content.length !== size) throw notOfSize(size);
    return content;
  }
  // The next piece may be read into the same memory.
  const whole = Buffer.allocUnsafe(size);
  let length = 0;
  for await (const piece of content) {
    if (length + piece.length > size) throw notOfSize(size);
    whole.set(piece, length);
    length += piece.length;
  }
  if (length < size) throw notOfSize(size);
  return whole;
}

const notOfSize = (size: number): StillageError =>
  new StillageError("invalid", `its content is not of ${size} bytes, as it was said to be`);

/** Content that is hashed as it passes; its checksum is there at the end. */
class Hashing implements AsyncIterable<Uint8Array> {
  checksum: Checksum = "";
  private readonly header: FileHeader;
  private readonly size: number;
  private readonly content: Content;

  constructor(header: FileHeader, size: number, content: Content) {
    this.header = header;
    this.size = size;
    this.content = content;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const hash = fileChecksum(this.header);
    let left = this.size;
    for await (const piece of this.content instanceof Uint8Array ? [this.content] : this.content) {
      left -= piece.length;
      if (left < 0) break;
      hash.update(piece);
      yield piece;
    }
    if (left !== 0) throw notOfSize(this.size);
    this.checksum = hash.digest("hex");
  }
}

const hashing = (header: FileHeader, size: number, content: Content): Hashing => new Hashing(header, size, content);

async function consume(content: Hashing): Promise<Checksum> {
  for await (const _piece of content);
  return content.checksum;
}
