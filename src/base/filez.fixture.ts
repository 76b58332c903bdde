import { randomBytes } from "node:crypto";
import { deflateRawSync } from "node:zlib";
import { fileChecksum, fileType, filezHead } from "./ostree-file.ts";

/** A file object with content that nobody has seen, of just so many bytes where that can be: from 43 on, but for some around multiples of 64 KiB. */
export function filezOfSize(size: number): { readonly hash: string; readonly bytes: Buffer } {
  let length = Math.max(4, size - 39);
  for (let tries = 0; ; tries++) {
    const content = randomBytes(length);
    const bytes = filezOf(content, 0);
    const missing = size - bytes.length;
    if (missing === 0 || size < 44 || tries === 5) return { hash: hashOfContent(content), bytes };
    length += missing;
  }
}

/** The hash of a file object, from its content. */
export function hashOfContent(content: Uint8Array, mode = fileType | 0o644): string {
  const hash = fileChecksum({ uid: 0, gid: 0, mode, symlink: "", xattrs: [] });
  hash.update(content);
  return hash.digest("hex");
}

/** A file object with this content. */
export function filezOf(content: Uint8Array, level: number, mode = fileType | 0o644): Buffer {
  const head = filezHead({ uid: 0, gid: 0, mode, symlink: "", xattrs: [] }, content.length);
  return Buffer.concat([head, deflateRawSync(content, { level })]);
}

/** One of so many zeros: a thousandth of that. */
export function filezOfZeros(size: number): { readonly hash: string; readonly bytes: Buffer } {
  const content = new Uint8Array(size);
  return { hash: hashOfContent(content), bytes: filezOf(content, 9) };
}
