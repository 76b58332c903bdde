/** A hash function that names blobs. `words` and `hexLength` are the length of its hash in 32-bit words and hex digits. */
export interface DigestFunction {
  /** As the resource names of the API spell it, and node:crypto where it knows the function. */
  readonly name: "sha256" | "sha1" | "sha384" | "sha512" | "blake3";
  /** DigestFunction.Value in remote_execution.proto. */
  readonly value: 1 | 2 | 5 | 6 | 9;
  readonly words: number;
  readonly hexLength: number;
  /** The hash of no bytes at all, in lower-case hex. */
  readonly emptyHash: string;
}

const define = (
  name: DigestFunction["name"],
  value: DigestFunction["value"],
  bits: number,
  emptyHash: string,
): DigestFunction => Object.freeze({ name, value, words: bits / 32, hexLength: bits / 4, emptyHash });

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

/** Every function that the store knows, the preferred one first. */
export const digestFunctions: readonly DigestFunction[] = Object.freeze([sha256, sha1, sha384, sha512, blake3]);

/**
 * The function whose hashes have this many hex digits: how the API tells the unnamed ones apart. Where two have, it is the older one:
 * BLAKE3 is always named (remote_execution.proto, the fields `digest_function`).
 */
export function functionOfHexLength(length: number): DigestFunction | undefined {
  return digestFunctions.find((each) => each.hexLength === length);
}

/** The function of a DigestFunction.Value; `undefined` for one that is not served. 0 is not a function. */
export function functionOfValue(value: number): DigestFunction | undefined {
  return digestFunctions.find((each) => each.value === value);
}

export function functionOfName(name: string): DigestFunction | undefined {
  return digestFunctions.find((each) => each.name === name);
}
