import { encode } from "../../base/gvariant/gvariant.ts";
import type { Checksum } from "../object-name.ts";

/** What a `.tombstone-commit` has in it: the commit, as text with a zero byte, which is how OSTree writes it. */
export function tombstone(commit: Checksum): Uint8Array {
  return encode("a{sv}", [["commit", { type: "ay", value: Buffer.from(`${commit}\0`) }]]);
}
