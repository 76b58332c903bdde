import { StillageError } from "../base/errors.ts";
import type { NewRef } from "./ref-store.ts";

/** Bytes of an instance's and a ref's name together, as UTF-8: the longest URI with the longest qualifiers fits. */
export const maxNameBytes = 64 << 10;

/** What a client can send in one message. */
export const maxMessageBytes = 4 << 20;

/** Roots of one ref: the outputs of an action that is as large as a message can be. */
export const maxRoots = 100_000;

/** Characters of what says who put a ref: the subject of a certificate fits. */
export const maxByLength = 1000;

/** Refuses what no store takes. Errors: `invalid`. */
export function checkRef({ instance, name, message, roots, by = "" }: NewRef): void {
  if (by.length > maxByLength) throw tooLarge(name, `${by.length} characters to say who put it`, maxByLength);
  const nameBytes = Buffer.byteLength(instance) + Buffer.byteLength(name);
  if (nameBytes > maxNameBytes) throw tooLarge(name, `a name of ${nameBytes} bytes`, maxNameBytes);
  if (message.length > maxMessageBytes) throw tooLarge(name, `a message of ${message.length} bytes`, maxMessageBytes);
  if (roots.length > maxRoots) throw tooLarge(name, `${roots.length} roots`, maxRoots);
}

function tooLarge(name: string, what: string, limit: number): StillageError {
  return new StillageError("invalid", `${JSON.stringify(name.slice(0, 100))} has ${what}; the limit is ${limit}`);
}

/** What `put` ends with where a ref has not what it is to be put over. */
export function putMeanwhile(): StillageError {
  return new StillageError("aborted", "somebody else has put one of these refs in the same moment: none is put", {
    hint: "see what is there, and try again",
  });
}
