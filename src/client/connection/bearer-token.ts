import { readFileSync } from "node:fs";
import { type Clock, systemClock } from "../../base/clock.ts";
import { StillageError } from "../../base/errors.ts";
import type { RemoteSpec } from "../remote-spec.ts";

/** Nobody's token is longer; a file that is was named by mistake. */
const maxTokenBytes = 64 << 10;

/**
 * The header of each call that shows a remote's token; `undefined` where it has none. The file is read now, and again by the first call after the reload interval. A token that
 * cannot be read again is used further: the server tells whether it still counts. Errors: `invalid` where it cannot be read the first time.
 */
export function bearerToken(
  { name, auth, origin }: RemoteSpec,
  clock: Clock = systemClock,
): (() => { readonly authorization: string }) | undefined {
  const { accessToken: path, accessTokenReloadMinutes: minutes } = auth;
  if (path === undefined) return undefined;
  let headers = { authorization: `Bearer ${readToken(path, name, origin)}` };
  let readAt = clock();
  return () => {
    if (minutes !== undefined && clock() - readAt >= minutes * 60_000) {
      readAt = clock();
      try {
        headers = { authorization: `Bearer ${readToken(path, name, origin)}` };
      } catch {}
    }
    return headers;
  };
}

function readToken(path: string, name: string, origin: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8").trim();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new StillageError("invalid", `${name}: access-token ${path} cannot be read: ${code} (${origin})`, { cause });
  }
  // What is no visible ASCII cannot stand in a header.
  if (text === "" || text.length > maxTokenBytes || /[^\x21-\x7e]/.test(text)) {
    throw new StillageError("invalid", `${name}: ${path} is no access token (${origin})`, {
      hint: "the file has to contain the token alone, on one line",
    });
  }
  return text;
}
