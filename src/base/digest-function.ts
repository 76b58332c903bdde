/** A hash function that names blobs. `words` and `hexLength` are the length of its hash in 32-bit words and hex digits. */
export interface DigestFunction {
  readonly name: ServedFunction["name"] | "ostree";
  /** What stands for it on the disk and between threads. */
  readonly value: ServedFunction["value"] | typeof ostreeValue;
  readonly words: number;
  readonly hexLength: number;
  /** The hash of no bytes at all, in lower-case hex; `undefined` where no blob of this function is empty. */
  readonly emptyHash: string | undefined;
}

/** One of those that the Remote Execution API knows. */
export interface ServedFunction extends DigestFunction {
  /** As the resource names of the API spell it, and node:crypto where it knows the function. */
  readonly name: "sha256" | "sha1" | "sha384" | "sha512" | "blake3";
  /** DigestFunction.Value in remote_execution.proto. */
  readonly value: 1 | 2 | 5 | 6 | 9;
  readonly emptyHash: string;
}

/** The letter o: the API numbers its functions one by one, and is far from it. */
const ostreeValue = 0x6f;

const define = (
  name: ServedFunction["name"],
  value: ServedFunction["value"],
  bits: number,
  emptyHash: string,
): ServedFunction => Object.freeze({ name, value, words: bits / 32, hexLength: bits / 4, emptyHash });

export const sha256 = define("sha256", 1, 256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
export const sha1 = define("sha1", 2, 160, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
export const sha384 = define(
  "sha384",
  5,
  384,
  "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b",
);
export const sha512 = define(
  "sha512",
  6,
  512,
  "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
);

export const blake3 = define("blake3", 9, 256, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");

/**
 * The file objects of OSTree: the bytes of such a blob are a `.filez`, its size is that of those, and its hash is the checksum of what they deflate to, with the file's
 * header. Two deflations of one file have one hash and different sizes, of which a store keeps the first. There is no empty one. The API never hears of this function.
 */
export const ostree: DigestFunction = Object.freeze({
  name: "ostree",
  value: ostreeValue,
  words: 8,
  hexLength: 64,
  emptyHash: undefined,
});

/** Every function that the API is served with, the preferred one first. */
export const digestFunctions: readonly ServedFunction[] = Object.freeze([sha256, sha1, sha384, sha512, blake3]);

/** Every function that a store has blobs of. */
export const storedFunctions: readonly DigestFunction[] = Object.freeze([...digestFunctions, ostree]);

/**
 * The function whose hashes have this many hex digits: how the API tells the unnamed ones apart. Where two have, it is the older one:
 * BLAKE3 is always named (remote_execution.proto, the fields `digest_function`).
 */
export function functionOfHexLength(length: number): ServedFunction | undefined {
  return digestFunctions.find((each) => each.hexLength === length);
}

/** The function of a DigestFunction.Value; `undefined` for one that is not served. 0 is not a function. */
export function functionOfValue(value: number): ServedFunction | undefined {
  return digestFunctions.find((each) => each.value === value);
}

/** The function that resource names spell so. */
export function functionOfName(name: string): ServedFunction | undefined {
  return digestFunctions.find((each) => each.name === name);
}

/** The DigestFunction.Value of a function that the API has named. */
export function servedValue({ value }: DigestFunction): ServedFunction["value"] {
  if (value === ostreeValue) throw new Error("the API has no file objects of OSTree");
  return value;
}

/** The function that this value stands for on the disk and between threads. */
export function storedFunctionOfValue(value: number): DigestFunction | undefined {
  return storedFunctions.find((each) => each.value === value);
}

/** The function whose directories and roots have this name. */
export function storedFunctionOfName(name: string): DigestFunction | undefined {
  return storedFunctions.find((each) => each.name === name);
}
