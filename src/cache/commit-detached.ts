import { StillageError } from "../base/errors.ts";
import { decode } from "../base/gvariant/gvariant.ts";
import type { MemberName } from "./commit-member.ts";

/** Of one commit: some signatures. */
export const maxDetachedBytes = 64 << 10;

/** Of all commits of a push, which has some two. */
const maxAllBytes = 1 << 20;

/** Checks the detached metadata of a commit, an `a{sv}` in its normal form. Errors: `invalid`. */
export function checkDetached(text: string, bytes: Uint8Array): void {
  if (bytes.length > maxDetachedBytes) {
    throw new StillageError("invalid", `${text} has ${bytes.length} bytes, and may have ${maxDetachedBytes}`);
  }
  decode("a{sv}", bytes);
}

/** The detached metadata of the commits of a push. It is no object, as nothing verifies it: it comes in with the refs. */
export class DetachedParts {
  readonly all = new Map<string, Uint8Array>();
  private bytes = 0;

  /** Errors: `invalid`. */
  add({ checksum, text }: MemberName, bytes: Uint8Array): void {
    checkDetached(text, bytes);
    this.bytes += bytes.length;
    if (this.bytes > maxAllBytes) {
      throw new StillageError("invalid", `the detached metadata of a push has more than ${maxAllBytes} bytes`);
    }
    this.all.set(checksum, bytes);
  }
}
