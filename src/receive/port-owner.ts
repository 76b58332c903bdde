import { readFile } from "node:fs/promises";
import { StillageError } from "../base/errors.ts";

/** A socket that listens, in /proc/net/tcp (proc_pid_net(5)). */
const listening = "0A";

/** Where what is sent to 127.0.0.1 may arrive, as /proc writes addresses: there, at every address, and, mapped into IPv6, the same again. */
const reached = new Set([
  "0100007F",
  "00000000",
  "0000000000000000FFFF00000100007F",
  "0000000000000000FFFF000000000000",
  "00000000000000000000000000000000",
]);

/** The users, by their numbers, whose sockets listen at a port of 127.0.0.1, by the content of a table of /proc. */
export function portOwners(table: string, port: number): number[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  return table.split("\n").flatMap((line) => {
    const [, local = "", , state, , , , user] = line.trim().split(/\s+/);
    const [address = "", at] = local.split(":");
    return at === wanted && state === listening && reached.has(address) ? [Number(user)] : [];
  });
}

/**
 * Whether it may be a pusher's repository that is at a port of 127.0.0.1: sshd listens there as the user whom it has let in, who is us. What others serve on this machine is
 * not for pushers to have published. Errors: `invalid`.
 */
export async function checkPortOwner(port: number): Promise<void> {
  const tables = await Promise.all(
    ["tcp", "tcp6"].map((name) => readFile(`/proc/net/${name}`, "utf8").catch(() => "")),
  );
  const owners = tables.flatMap((table) => portOwners(table, port));
  if (owners.every((owner) => owner === process.geteuid?.())) return;
  throw new StillageError("invalid", `the port ${port} of this machine is not one that was forwarded to a pusher`, {
    hint: "it is one that ssh forwards (-R 0:127.0.0.1:PORT)",
  });
}
