import { StillageError } from "../base/errors.ts";

/** What systems say of a file that is gone, is no file, or is not what was written. Anything else may be what another run does not meet. */
const codes = new Set(["ENOENT", "ELOOP", "EIO", "EUCLEAN", "EBADMSG", "EILSEQ"]);

/** Whether an error of reading a file says that its bytes are lost, with `openRegular`'s for what is no file. */
export function isDamage(error: unknown): boolean {
  if (error instanceof StillageError) return error.code === "invalid";
  return codes.has((error as NodeJS.ErrnoException).code ?? "");
}
