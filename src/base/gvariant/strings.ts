import { type Codec, notOfType } from "./codec.ts";
import { notNormal, type Source } from "./source.ts";

const replacement = "\ufffd";

/** Reads UTF-8 and the NUL behind it, which together take the bytes from `start` to `end`. */
export function readText({ bytes }: Source, start: number, end: number): string {
  if (end === start || bytes[end - 1] !== 0) notNormal("a string does not end with NUL");
  const text = bytes.toString("utf8", start, end - 1);
  if (text.includes("\0")) notNormal("a string holds NUL");
  // What is not UTF-8 was replaced. The character can also have been there.
  if (text.includes(replacement) && !bytes.subarray(start, end - 1).equals(Buffer.from(text)))
    notNormal("a string is not UTF-8");
  return text;
}

function text(type: string, allowed: (text: string) => boolean): Codec {
  return {
    ...{ type, size: undefined, alignment: 1, depth: 0 },
    read(from, start, end) {
      const value = readText(from, start, end);
      if (!allowed(value)) notNormal(`${JSON.stringify(value.slice(0, 100))} is no ${type}`);
      return value;
    },
    write(into, value) {
      if (typeof value !== "string") notOfType(type, typeof value);
      if (value.includes("\0") || !value.isWellFormed()) notOfType(type, "NUL or half a surrogate pair");
      if (!allowed(value)) notOfType(type, JSON.stringify(value.slice(0, 100)));
      into.text(value);
    },
  };
}

/** `/`, or names with a slash before each: without a pattern for the whole, of which a long path would take the stack. */
function isObjectPath(text: string): boolean {
  if (text === "/") return true;
  return text.startsWith("/") && !text.endsWith("/") && !text.includes("//") && !/[^/A-Za-z0-9_]/.test(text);
}

export const stringCodec: Codec = text("s", () => true);
export const objectPathCodec: Codec = text("o", isObjectPath);

/** A signature is any number of types; `isType` says whether a text is one. */
export function signatureCodec(areTypes: (text: string) => boolean): Codec {
  return text("g", areTypes);
}

export const bytesCodec: Codec = {
  ...{ type: "ay", size: undefined, alignment: 1, depth: 1 },
  read: ({ bytes }, start, end) => new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start),
  write(into, value) {
    if (!(value instanceof Uint8Array)) notOfType("ay", typeof value);
    into.put(value);
  },
};
