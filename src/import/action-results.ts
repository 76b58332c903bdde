import { functionOfHexLength } from "../base/digest-function.ts";
import { StillageError } from "../base/errors.ts";
import type { NameKind } from "./name-kind.ts";

/** `objects/AA/REST` in casd 1.4, `HASH` before: the hash of the action. */
const place = /^(?:objects\/([0-9a-f]{2})\/)?([0-9a-f]{30,128})$/;

/** The encoded ActionResult under the hash of its action; casd's instances share them. */
export const actionResults: NameKind = {
  what: "actionResults",
  layout: "casd",
  folder: "actioncache",
  isName: (key) => place.test(key),
  read: ({ key, bytes, time }, { actions }) => {
    const [, start = "", rest = ""] = place.exec(key) ?? [];
    const hash = start + rest;
    const fn = functionOfHexLength(hash.length);
    if (fn === undefined) throw new StillageError("invalid", "the hash is of a function that is not known here");
    return [actions.refOf({ function: fn, hash }, bytes, time)];
  },
};
