import { join } from "node:path";
import { StillageError } from "../base/errors.ts";
import type { ListenerConfig } from "./listener.ts";
import type { ServerOptions } from "./server-options.ts";

/** Where programs of the store's user find its server: `bst-artifact-receive`, which sshd starts, hands over there what is pushed. */
export const receiveSocketName = "receive.socket";

/** The longest path that the address of a Unix socket holds (unix(7)), its final zero byte left out. */
export const maxSocketPath = 107;

/** The header by which such a program says for whom it asks. Percent-encoded. */
export const onBehalfHeader = "stillage-for";

/** Longer than any name that `authorized_keys` gives. */
const maxNameLength = 200;

/** The listener of that socket; `undefined` where there is none, or where the path of the store leaves no room for one. */
export function receiveListener({ store, receiveSocket }: ServerOptions): ListenerConfig | undefined {
  if (receiveSocket === undefined) return undefined;
  const wanted = receiveSocket !== "auto";
  const path = wanted ? receiveSocket : join(store, receiveSocketName);
  const length = Buffer.byteLength(path);
  if (length <= maxSocketPath) {
    return { address: `unix:${path}`, push: true, tls: undefined, receive: wanted ? "wanted" : "if possible" };
  }
  if (!wanted) return undefined;
  throw new StillageError(
    "failed-precondition",
    `cannot listen at ${path}: a socket's path has at most ${maxSocketPath} bytes`,
  );
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
