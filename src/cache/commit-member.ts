import { StillageError } from "../base/errors.ts";
import { type ObjectType, parseObjectFileName } from "../ostree/object-name.ts";

/** What a member of a pushed archive is. */
export interface MemberName {
  /** In 64 hex digits; of detached metadata, that of the commit. */
  readonly checksum: string;
  /** `ignored`: what older programs put beside commits, which nothing needs. */
  readonly type: ObjectType | "commitmeta" | "ignored";
  /** As messages show it. */
  readonly text: string;
}

/** More than any object's name has. */
const maxNameBytes = 100;

/** Reads the name of a member, `CHECKSUM.TYPE` and nothing else. Errors: `invalid`. */
export function parseMemberName(path: Uint8Array): MemberName {
  const text = Buffer.from(path.subarray(0, maxNameBytes)).toString("latin1");
  const known = path.length <= maxNameBytes;
  const object = known ? parseObjectFileName(text) : undefined;
  if (object !== undefined) return { ...object, text };
  const [, checksum, ending] = (known && /^([0-9a-f]{64})\.(commitmeta|sig|sizes2)$/.exec(text)) || [];
  if (checksum !== undefined) return { checksum, type: ending === "commitmeta" ? ending : "ignored", text };
  throw new StillageError("invalid", `${JSON.stringify(text)} is not the name of an OSTree object in an archive`, {
    hint: "members are called CHECKSUM.filez, .dirtree, .dirmeta, .commit or .commitmeta",
  });
}
