import { StillageError } from "../base/errors.ts";

/** A part of a list, and the cursor with which the next part is asked for; `undefined` at the end. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | undefined;
}

/** Characters of a cursor: that of a page deep in a tree has some hundred numbers. */
export const maxCursorLength = 8192;

/** A cursor that says what `place` says, and to nobody but `readCursor` what that is. */
export function writeCursor(place: unknown): string {
  return Buffer.from(JSON.stringify(place)).toString("base64url");
}

/** What a cursor says; `check` tells whether it can be so. Errors: `invalid`. */
export function readCursor<T>(cursor: string, check: (place: unknown) => place is T): T {
  try {
    const place: unknown = JSON.parse(Buffer.from(cursor.slice(0, maxCursorLength), "base64url").toString());
    if (check(place)) return place;
  } catch {} // no JSON
  throw new StillageError("invalid", "the cursor is not one that this list has given", {
    hint: "take it as it came with the page before, and change nothing else in the request",
  });
}
