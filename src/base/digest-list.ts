import type { Digest } from "./digest.ts";
import type { DigestFunction } from "./digest-function.ts";

/** The value of each hex digit's character code; 255 for what is no lower-case hex digit. */
const nibble = new Uint8Array(256).fill(255);
for (let i = 0; i < 16; i++) nibble["0123456789abcdef".charCodeAt(i)] = i;

const firstCapacity = 64;

/** Whether the hex digits in `bytes` from `start` to `end` are the hash of no bytes at all. */
export function isEmptyHash(fn: DigestFunction, bytes: Uint8Array, start: number, end: number): boolean {
  const { emptyHash } = fn;
  if (emptyHash === undefined || end - start !== fn.hexLength) return false;
  for (let i = start; i < end; i++) if (bytes[i] !== emptyHash.charCodeAt(i - start)) return false;
  return true;
}

/** As `DigestList.pushHex`, for a digest that is wanted as a value: `undefined` where that returns false. */
export function digestOfHex(
  fn: DigestFunction,
  bytes: Uint8Array,
  start: number,
  end: number,
  size: number,
): Digest | undefined {
  if (!mayBeDigest(fn, bytes, start, end, size)) return undefined;
  for (let i = start; i < end; i++) if (nibble[bytes[i] as number] === 255) return undefined;
  const hash = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
  return { function: fn, hash, size };
}

/** What can be said before the digits are looked at: a hash of the function's length, and a size that can be, 0 for the empty blob alone. */
function mayBeDigest(fn: DigestFunction, bytes: Uint8Array, start: number, end: number, size: number): boolean {
  if (end - start !== fn.hexLength || !(size >= 0 && size <= Number.MAX_SAFE_INTEGER)) return false;
  return size !== 0 || isEmptyHash(fn, bytes, start, end);
}

/** Whether the hash that stands as words from `word` on is the one in `hex`, which has a hash of the function in lower-case hex digits. */
export function isHashOfWords(fn: DigestFunction, words: Uint32Array, word: number, hex: string): boolean {
  for (let w = word, p = 0; p < fn.hexLength; w++) {
    let value = 0;
    for (const end = p + 8; p < end; p++) value = (value << 4) | (nibble[hex.charCodeAt(p)] as number);
    if (value >>> 0 !== words[w]) return false;
  }
  return true;
}

/** Room for the words of a hash of any function, for the moment in which they become digits. */
const digitsOf = Buffer.alloc(64);

/** The hash that stands as words from `from` to `to`, in hex digits. */
export function hexOfWords(words: Uint32Array, from: number, to: number): string {
  let at = 0;
  // A string of digits that is put together word by word takes ten times as long.
  for (let w = from; w < to; w++) {
    const word = words[w] as number;
    digitsOf[at++] = word >>> 24;
    digitsOf[at++] = word >>> 16;
    digitsOf[at++] = word >>> 8;
    digitsOf[at++] = word;
  }
  return digitsOf.toString("hex", 0, at);
}

/**
 * Many digests of one function without an object for each: hashes as big-endian 32-bit words side by side
 * (`words[i * fn.words]` is the first of digest i), sizes in bytes. A call for ten thousand digests costs two arrays.
 */
export class DigestList {
  readonly function: DigestFunction;
  words: Uint32Array;
  sizes: Float64Array;
  length = 0;

  constructor(fn: DigestFunction, capacity: number = firstCapacity) {
    this.function = fn;
    this.words = new Uint32Array(capacity * fn.words);
    this.sizes = new Float64Array(capacity);
  }

  static of(digest: Digest): DigestList {
    const list = new DigestList(digest.function, 1);
    list.push(digest);
    return list;
  }

  /** Empties the list for the next use of its memory. */
  clear(): void {
    this.length = 0;
  }

  push(digest: Digest): void {
    const { hash } = digest;
    let at = this.reserve();
    for (let p = 0; p < hash.length; ) {
      let word = 0;
      for (const end = p + 8; p < end; p++) word = (word << 4) | (nibble[hash.charCodeAt(p)] as number);
      this.words[at++] = word;
    }
    this.sizes[this.length++] = digest.size;
  }

  /**
   * Appends the hash that stands as hex digits in `bytes` from `start` to `end`, and a size.
   * Returns false, and leaves the list as it was, where it is no hash of this list's function, or the size cannot be that of its blob.
   */
  pushHex(bytes: Uint8Array, start: number, end: number, size: number): boolean {
    if (!mayBeDigest(this.function, bytes, start, end, size)) return false;
    let at = this.reserve();
    const { words } = this;
    let bad = 0;
    // Without a loop over the digits, a third of all that a look-up of many digests costs is saved.
    for (let p = start; p < end; p += 8) {
      const a = nibble[bytes[p] as number] as number;
      const b = nibble[bytes[p + 1] as number] as number;
      const c = nibble[bytes[p + 2] as number] as number;
      const d = nibble[bytes[p + 3] as number] as number;
      const e = nibble[bytes[p + 4] as number] as number;
      const f = nibble[bytes[p + 5] as number] as number;
      const g = nibble[bytes[p + 6] as number] as number;
      const h = nibble[bytes[p + 7] as number] as number;
      bad |= a | b | c | d | e | f | g | h;
      words[at++] = (a << 28) | (b << 24) | (c << 20) | (d << 16) | (e << 12) | (f << 8) | (g << 4) | h;
    }
    if (bad > 15) return false;
    this.sizes[this.length++] = size;
    return true;
  }

  /** Appends the hash that stands as bytes from `at` on, and a size, whatever they are. */
  pushBytes(bytes: Uint8Array, at: number, size: number): void {
    const { words } = this.function;
    const start = this.reserve();
    for (let w = 0, p = at; w < words; w++, p += 4) {
      const [a, b, c, d] = [bytes[p], bytes[p + 1], bytes[p + 2], bytes[p + 3]] as [number, number, number, number];
      this.words[start + w] = (a << 24) | (b << 16) | (c << 8) | d;
    }
    this.sizes[this.length++] = size;
  }

  /** Appends digest `i` of another list of the same function. */
  append(from: DigestList, i: number): void {
    const at = this.reserve();
    const { words } = this.function;
    for (let w = 0; w < words; w++) this.words[at + w] = from.words[i * words + w] as number;
    this.sizes[this.length++] = from.sizes[i] as number;
  }

  /** Digest `i` as a value. */
  at(i: number): Digest {
    const { words } = this.function;
    const hash = hexOfWords(this.words, i * words, (i + 1) * words);
    return { function: this.function, hash, size: this.sizes[i] as number };
  }

  /** Makes room for one more and returns where its words begin. */
  private reserve(): number {
    if (this.length === this.sizes.length) {
      const words = new Uint32Array(Math.max(this.words.length * 2, this.function.words));
      words.set(this.words);
      this.words = words;
      const sizes = new Float64Array(Math.max(this.sizes.length * 2, 1));
      sizes.set(this.sizes);
      this.sizes = sizes;
    }
    return this.length * this.function.words;
  }
}
