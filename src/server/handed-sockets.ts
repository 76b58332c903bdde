import { StillageError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { ListenerConfig } from "./listener.ts";

/** Sockets that listen already, opened by whoever started the process: their descriptors, by name. */
export type HandedSockets = ReadonlyMap<string, readonly number[]>;

/** The descriptor of the first (sd_listen_fds(3), SD_LISTEN_FDS_START). */
const firstDescriptor = 3;

/** More than any unit has, and an end to what a wrong variable can ask for. */
const maxSockets = 1024;

/** What a socket without a name is called (sd_listen_fds_with_names(3)). */
const nameless = "unknown";

/**
 * Takes the sockets that `environment` says were handed to process `pid` (sd_listen_fds(3)), and clears what says so: they are nobody
 * else's. Several of one name are one unit's, in its order.
 */
export function takeHandedSockets(environment: NodeJS.ProcessEnv, pid: number): HandedSockets {
  const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES } = environment;
  delete environment.LISTEN_PID;
  delete environment.LISTEN_FDS;
  delete environment.LISTEN_FDNAMES;
  const sockets = new Map<string, number[]>();
  if (LISTEN_PID !== String(pid)) return sockets;
  const count = /^\d{1,4}$/.test(LISTEN_FDS ?? "") ? Math.min(Number(LISTEN_FDS), maxSockets) : 0;
  const names = LISTEN_FDNAMES?.split(":") ?? [];
  for (let i = 0; i < count; i++) {
    const name = names[i] || nameless;
    const found = sockets.get(name);
    if (found === undefined) sockets.set(name, [firstDescriptor + i]);
    else found.push(firstDescriptor + i);
  }
  return sockets;
}

/**
 * The listeners as they can be opened: each `systemd:NAME` once for every socket of that name. Errors: `failed-precondition` where there is
 * none. A socket that no listener asks for is warned of: who connects to it would wait for ever.
 */
export function withSockets(
  listeners: readonly ListenerConfig[],
  sockets: HandedSockets,
  log: Log,
): readonly ListenerConfig[] {
  const unused = new Set(sockets.keys());
  const opened = listeners.flatMap((listener) => {
    const name = /^systemd:(.*)$/.exec(listener.address)?.[1];
    if (name === undefined) return [listener];
    unused.delete(name);
    const descriptors = sockets.get(name);
    if (descriptors === undefined) throw noSocket(listener.address, sockets);
    return descriptors.map((descriptor) => ({ ...listener, descriptor }));
  });
  for (const name of unused) log.warn({ name }, "a socket was handed over that no listener asks for");
  return opened;
}

function noSocket(address: string, sockets: HandedSockets): StillageError {
  const names = [...sockets.keys()].map((each) => JSON.stringify(each)).join(", ");
  return new StillageError(
    "failed-precondition",
    `cannot listen on ${address}: no socket of this name was handed over, only ${names || "none at all"}`,
    { hint: "enable a socket unit with that FileDescriptorName= and this service as its Service=, and start that" },
  );
}
