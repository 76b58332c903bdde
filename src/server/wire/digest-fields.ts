import { type DigestFunction, functionOfHexLength, functionOfValue } from "../../base/digest-function.ts";
import { DigestList } from "../../base/digest-list.ts";
import { StillageError } from "../../base/errors.ts";
import { ProtobufReader, tagOf, wireBytes, wireVarint } from "../../base/protobuf.ts";

const hashTag = tagOf(1, wireBytes);
const sizeTag = tagOf(2, wireVarint);

/** Where a Digest message's parts lie in the request. Reused from one digest to the next. */
export class DigestFields {
  hashStart = 0;
  hashEnd = 0;
  /** As sent; may be no possible size. */
  size = 0;

  /** Says what no message at all does. */
  clear(): void {
    this.hashStart = 0;
    this.hashEnd = 0;
    this.size = 0;
  }

  read(bytes: Uint8Array, start: number, end: number): void {
    const reader = new ProtobufReader(bytes, start, end);
    this.clear();
    for (let tag = reader.field(); tag !== 0; tag = reader.field()) {
      if (tag === hashTag) {
        this.hashStart = reader.start;
        this.hashEnd = reader.end;
      } else if (tag === sizeTag) this.size = reader.value;
    }
  }

  get hexLength(): number {
    return this.hashEnd - this.hashStart;
  }
}

/** The function that a request names, or `undefined` where it leaves that to the hashes' length. */
export function namedFunction(value: number): DigestFunction | undefined {
  if (value === 0) return undefined;
  const fn = functionOfValue(value);
  if (fn === undefined) throw new StillageError("invalid", `digest function ${value} is not served here`);
  return fn;
}

/** A list for hashes of this length: of `assumed` where it has such hashes; `undefined` where no function served here has. */
export function listForLength(
  hexLength: number,
  capacity: number,
  assumed: DigestFunction | undefined,
): DigestList | undefined {
  const fn = assumed?.hexLength === hexLength ? assumed : functionOfHexLength(hexLength);
  return fn && new DigestList(fn, capacity);
}
