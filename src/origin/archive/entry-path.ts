import { badArchive, showBytes } from "../../base/tar/archive-error.ts";

/** Directories above an entry: deeper than any source tree, and recursion stays shallow. */
export const maxDepth = 128;

/** Bytes of a name and of a path that a file system takes (Linux: NAME_MAX, PATH_MAX). */
const maxNameBytes = 255;
const maxPathBytes = 4096;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Text of an archive. Errors: `failed-precondition` for what is not UTF-8 or has a zero byte. */
export function entryText(bytes: Uint8Array): string {
  if (bytes.length > maxPathBytes) throw badArchive(`a path has more than ${maxPathBytes} bytes`);
  if (bytes.includes(0)) throw badArchive(`${showBytes(bytes)} has a zero byte`);
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw badArchive(`the name ${showBytes(bytes)} is not UTF-8`, cause);
  }
}

/**
 * The names that lead to an entry; none for the root itself. Errors: `failed-precondition` for a path that leads elsewhere (it begins
 * with a slash, or has a `..`), and for what no file system could hold.
 */
export function entryPath(bytes: Uint8Array): string[] {
  const text = entryText(bytes);
  if (text.startsWith("/")) throw badArchive(`the path ${JSON.stringify(text)} is absolute`);
  const names = text.split("/").filter((name) => name !== "" && name !== ".");
  if (names.includes("..")) throw badArchive(`the path ${JSON.stringify(text)} leads out of it, or may`);
  if (names.length > maxDepth) throw badArchive(`a path is deeper than ${maxDepth} directories`);
  const long = names.find((name) => Buffer.byteLength(name) > maxNameBytes);
  if (long !== undefined) throw badArchive(`a name has more than ${maxNameBytes} bytes`);
  return names;
}

/**
 * Where a symbolic link points, in the one form that the API knows (remote_execution.proto, SymlinkNode.target): no `/./` and no `//`. It
 * may point anywhere; nobody follows it here.
 */
export function symlinkTarget(bytes: Uint8Array): string {
  const text = entryText(bytes);
  if (text === "") throw badArchive("a symbolic link points nowhere");
  const parts = text.split("/").filter((part) => part !== "" && part !== ".");
  const path = parts.join("/");
  return text.startsWith("/") ? `/${path}` : path || ".";
}
