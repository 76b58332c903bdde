import { randomBytes, timingSafeEqual } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Authenticate } from "../base/caller.ts";
import { StillageError } from "../base/errors.ts";
import { onBehalfHeader, receiveSocketName, secretPathOf } from "../base/receive-socket.ts";
import type { ListenerConfig } from "./listener.ts";
import type { ServerOptions } from "./server-options.ts";

/** The longest path that the address of a Unix socket holds (unix(7)), its final zero byte left out. */
export const maxSocketPath = 107;

/** Longer than any name that `authorized_keys` gives. */
const maxNameLength = 200;

/** The listener of that socket; `undefined` where there is none, or where the path of the store leaves no room for one. */
export function receiveListener({ store, receiveSocket }: ServerOptions): ListenerConfig | undefined {
  if (receiveSocket === undefined) return undefined;
  const wanted = receiveSocket !== "auto";
  const path = wanted ? receiveSocket : join(store, receiveSocketName);
  const length = Buffer.byteLength(path);
  if (length <= maxSocketPath) {
    const secret = randomBytes(32).toString("base64url");
    return { address: `unix:${path}`, push: true, tls: undefined, receive: { wanted, secret } };
  }
  if (!wanted) return undefined;
  throw new StillageError(
    "failed-precondition",
    `cannot listen at ${path}: a socket's path has at most ${maxSocketPath} bytes`,
  );
}

/** Puts the secret of a socket beside it, for its user alone. A crash in between leaves an older one, or none: then nobody is believed. */
export async function writeSecret(socket: string, secret: string): Promise<void> {
  await rm(secretPathOf(socket), { force: true });
  await writeFile(secretPathOf(socket), secret, { flag: "wx", mode: 0o600 });
}

/** Lets `authenticate` find out who asks at such a socket only for programs that show its secret. Errors of what it gives: `unauthenticated`, too. */
export function withSecret(authenticate: Authenticate): Authenticate {
  return (peer) => {
    const { secret } = peer;
    const identify = authenticate(peer);
    if (secret === undefined) return identify;
    return (authorization, onBehalf) => {
      if (isSame(authorization, `Bearer ${secret}`)) return identify("", onBehalf);
      throw new StillageError("unauthenticated", "this socket is for programs of the server's own user", {
        hint: "they show what is in the file beside it; everybody else asks at one of the listeners",
      });
    };
  };
}

function isSame(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Whom a program that asks by that socket names; `undefined` for nobody. Errors: `invalid`. */
export function onBehalfOf(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const name = decoded(header);
  if (name !== undefined && name !== "" && name.length <= maxNameLength && !/\p{C}/u.test(name)) return name;
  throw new StillageError("invalid", `${onBehalfHeader} is no name of 1 to ${maxNameLength} printable characters`);
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
