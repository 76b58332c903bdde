import { StillageError } from "../errors.ts";
import { LruMap } from "../lru-map.ts";
import { fixedArray, variableArray } from "./array.ts";
import { type Codec, notOfType } from "./codec.ts";
import { maybe } from "./maybe.ts";
import { numberCodecs } from "./numbers.ts";
import { notNormal } from "./source.ts";
import { bytesCodec, objectPathCodec, signatureCodec, stringCodec } from "./strings.ts";
import { tuple } from "./tuple.ts";
import type { Value, Variant } from "./value.ts";

/** Characters of a type. GLib knows no limit; a type that is stored is some ten characters long. */
const maxType = 1_024;

/** How deep containers may lie in each other: GLib's limit. */
export const maxNesting = 128;

const known = new LruMap<string, Codec>(256);

/** The codec of one type. Errors: `invalid` for a text that is none. */
export function codecOf(type: string): Codec {
  const before = known.get(type);
  if (before !== undefined) return before;
  const codec = parse(type)?.[0];
  if (codec === undefined || codec.type !== type) {
    throw new StillageError("invalid", `${JSON.stringify(type.slice(0, 100))} is no GVariant type`);
  }
  known.set(type, codec);
  return codec;
}

/** The codecs of a text of any number of types; `undefined` if it is something else. */
function parse(text: string): Codec[] | undefined {
  if (text.length > maxType) return undefined;
  const codecs: Codec[] = [];
  for (let at = 0; at < text.length; ) {
    const codec = parseOne(text, at, 0);
    if (codec === undefined) return undefined;
    codecs.push(codec);
    at += codec.type.length;
  }
  return codecs;
}

/** The codec of the type that begins at `at`, `depth` containers deep. */
function parseOne(text: string, at: number, depth: number): Codec | undefined {
  if (depth > maxNesting) return undefined;
  const first = text[at] ?? "";
  if (first === "a" || first === "m") {
    const element = parseOne(text, at + 1, depth + 1);
    if (element === undefined) return undefined;
    if (first === "m") return maybe(element);
    if (element.type === "y") return bytesCodec;
    return element.size === undefined ? variableArray(element) : fixedArray(element, element.size);
  }
  if (first === "(" || first === "{") return parseTuple(text, at, depth);
  return basic.get(first) ?? (first === "v" ? variantCodec : undefined);
}

function parseTuple(text: string, start: number, depth: number): Codec | undefined {
  const entry = text[start] === "{";
  const members: Codec[] = [];
  let at = start + 1;
  while (at < text.length && text[at] !== (entry ? "}" : ")")) {
    const member = parseOne(text, at, depth + 1);
    if (member === undefined) return undefined;
    members.push(member);
    at += member.type.length;
  }
  if (at >= text.length) return undefined;
  // The key of a dictionary is one of the types that hold no other.
  if (entry && (members.length !== 2 || !basic.has(members[0]?.type ?? ""))) return undefined;
  return tuple(text.slice(start, at + 1), members);
}

/** A variant: its value, a zero byte, and the text of its type. */
const variantCodec: Codec = {
  ...{ type: "v", size: undefined, alignment: 8, depth: 1 },
  read(from, start, end, depth): Variant {
    let separator = end - 1;
    const first = Math.max(start, end - maxType - 1);
    while (separator >= first && from.bytes[separator] !== 0) separator--;
    if (separator < first) notNormal("a variant has no type");
    const type = from.bytes.toString("latin1", separator + 1, end);
    from.spend(2 + type.length); // a character of a type that is new costs as much as a value
    const codec = codecOf(type);
    if (codec.depth >= depth) notNormal("containers lie too deep in each other");
    if (codec.size !== undefined && codec.size !== separator - start) notNormal(`a variant's ${type} has another size`);
    return { type, value: codec.read(from, start, separator, depth - 1) };
  },
  write(into, value) {
    if (!isVariant(value)) notOfType("v", "no variant");
    codecOf(value.type).write(into, value.value);
    into.take(1);
    into.put(Buffer.from(value.type, "latin1"));
  },
};

const basic: ReadonlyMap<string, Codec> = new Map(
  [
    ...numberCodecs,
    stringCodec,
    objectPathCodec,
    signatureCodec((text) => text.length <= 255 && parse(text) !== undefined),
  ].map((codec) => [codec.type, codec]),
);

function isVariant(value: Value): value is Variant {
  return typeof value === "object" && "type" in value && "value" in value && !(value instanceof Uint8Array);
}
