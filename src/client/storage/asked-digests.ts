import type { Digest } from "../../base/digest.ts";
import { ProtobufReader, tagOf, wireBytes, wireVarint } from "../../base/protobuf.ts";

const hashTag = tagOf(1, wireBytes);
const sizeTag = tagOf(2, wireVarint);

/** Those that a server was asked about, each once, to know them again in its answer. Servers answer in the order of the question, which costs least here. */
export class AskedDigests {
  private readonly digests: readonly Digest[];
  private next = 0;
  private byHash: Map<string, Digest> | undefined;

  constructor(digests: readonly Digest[]) {
    this.digests = digests;
  }

  /** The one that the Digest message in `bytes` from `start` to `end` is; `undefined` for any other. Errors: `invalid` where it is broken. */
  read(bytes: Uint8Array, start: number, end: number): Digest | undefined {
    const reader = new ProtobufReader(bytes, start, end);
    let [from, to, size] = [0, 0, 0];
    for (let tag = reader.field(); tag !== 0; tag = reader.field()) {
      if (tag === hashTag) [from, to] = [reader.start, reader.end];
      else if (tag === sizeTag) size = reader.value;
    }
    const expected = this.digests[this.next];
    if (expected !== undefined && isText(expected.hash, bytes, from, to)) {
      this.next += 1;
      return expected.size === size ? expected : undefined;
    }
    this.byHash ??= new Map(this.digests.map((digest) => [digest.hash, digest]));
    const digest = this.byHash.get(Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString("latin1"));
    return digest?.size === size ? digest : undefined;
  }
}

function isText(text: string, bytes: Uint8Array, from: number, to: number): boolean {
  if (text.length !== to - from) return false;
  for (let i = 0; i < text.length; i++) if (bytes[from + i] !== text.charCodeAt(i)) return false;
  return true;
}
