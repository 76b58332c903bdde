import { type Digest, showDigest } from "../../base/digest.ts";
import { StillageError } from "../../base/errors.ts";
import { wrongNames } from "../../cache/directory-names.ts";

/**
 * Checks the names in an encoded Directory before it goes where programs make files of them, which need not look at them: each is a name that a file can have, and no two are
 * alike. Errors: `corrupt`; `invalid` for what is no Directory.
 */
export function checkNames(digest: Digest, bytes: Uint8Array): void {
  const why = wrongNames(bytes);
  if (why === undefined) return;
  throw new StillageError("corrupt", `the directory ${showDigest(digest)} ${why}`, {
    hint: "it is not written, and the artifact gets no name here; whoever pushed it made it wrong",
  });
}
