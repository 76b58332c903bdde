import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { StillageError } from "../../base/errors.ts";
import { stampFile } from "./format-stamp.ts";

const refusals = new Set(["EACCES", "EPERM"]);

/** Whether the system says of a file that this user may not have it. */
export function isRefusal(error: unknown): boolean {
  return refusals.has((error as NodeJS.ErrnoException).code ?? "");
}

/**
 * Throws where a store may be there but this user may not read it, which is not the same as that there is none.
 * Errors: `failed-precondition`.
 */
export function checkReadableByUser(directory: string): void {
  try {
    accessSync(join(directory, stampFile), constants.R_OK);
  } catch (error) {
    if (isRefusal(error)) throw notAllowed("read", directory, error);
  }
}

/** Throws where this user may not read and write what is in a directory. Errors: `failed-precondition`, and those of the file system. */
export function checkWritableByUser(directory: string): void {
  try {
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw isRefusal(error) ? notAllowed("write to", directory, error) : error;
  }
}

export function notAllowed(doing: "read" | "write to", directory: string, cause: unknown): StillageError {
  const owner = ownerOf(directory);
  const whose = owner === undefined ? "" : `, which belongs to ${owner}`;
  return new StillageError("failed-precondition", `this user may not ${doing} ${directory}${whose}`, {
    hint: owner === undefined ? "run it as the user of the server" : `run it as ${owner}`,
    cause,
  });
}

/** The name of a file's owner, or its number; `undefined` where not even that may be known. */
function ownerOf(path: string): string | undefined {
  try {
    const { uid } = statSync(path);
    return userNamed(readFileSync("/etc/passwd", "utf8"), uid) ?? `user ${uid}`;
  } catch {
    return undefined;
  }
}

/** The name that passwd(5) has for a user. */
export function userNamed(passwd: string, uid: number): string | undefined {
  for (const line of passwd.split("\n")) {
    const [name, , number] = line.split(":");
    if (name !== "" && number === String(uid)) return name;
  }
  return undefined;
}
