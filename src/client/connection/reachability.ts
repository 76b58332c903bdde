import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { type Environment, xdgDirectory } from "../../project/paths.ts";
import type { RemoteSpec } from "../remote-spec.ts";
import { shownUrl } from "../shown-url.ts";
import { proxyTo } from "./proxy-variables.ts";
import { type Failure, UnreachableFile } from "./unreachable-file.ts";

/** A server that did not answer. Times are milliseconds since 1970. */
export interface Blocked {
  /** It is not tried again before that. */
  readonly until: number;
  /** When it failed first without having answered in between. */
  readonly since: number;
  readonly why: string;
}

/**
 * Which servers did not answer lately, from one command to the next. Whoever asks for a server by name tries it all the same. A memory that cannot be kept is no failure:
 * then the next command finds out again.
 */
export interface Reachability {
  /** `undefined` for one that may be tried. What other processes find out while this one runs does not change it. */
  blocked(spec: RemoteSpec): Blocked | undefined;
  /** It did not answer: it is left alone for a time that grows with each failure. */
  failed(spec: RemoteSpec, why: string): Promise<void>;
  /** It answered, whatever it said. */
  reached(spec: RemoteSpec): Promise<void>;
  /** Forgets all. */
  clear(): Promise<void>;
}

/** A server that restarts is back before that. */
const firstPauseMs = 30_000;

/** Nobody waits longer for a server that is back. */
const longestPauseMs = 3_600_000;

/** What was not tried for so long is tried as if it were new. */
const memoryMs = 86_400_000;

const maxWhyLength = 300;

/** Where the memory is kept. */
export function unreachablePath(environment: Environment): string {
  return join(xdgDirectory("XDG_STATE_HOME", environment), "stillage", "unreachable.json");
}

export function openReachability(path: string, clock: Clock): Reachability {
  const file = new UnreachableFile(path);
  const known = new Map(file.read());
  return {
    blocked(spec) {
      const found = current(known.get(keyOf(spec)), clock());
      return found === undefined || found.until <= clock() ? undefined : blockOf(found);
    },
    async failed(spec, why) {
      const key = keyOf(spec);
      await file.change((failures) => {
        const failure = nextFailure(current(failures.get(key), clock()), spec, why, clock());
        known.set(key, failure);
        return [
          ...[...failures].filter(([each, { last }]) => each !== key && clock() - last < memoryMs),
          [key, failure],
        ];
      });
    },
    async reached(spec) {
      const key = keyOf(spec);
      known.delete(key);
      await file.change((failures) => (failures.has(key) ? [...failures].filter(([each]) => each !== key) : undefined));
    },
    async clear() {
      known.clear();
      await file.change((failures) => (failures.size > 0 ? [] : undefined));
    },
  };
}

/** A server as another user, under another instance name, or by another way may well answer. */
function keyOf({ url, instanceName, auth }: RemoteSpec): string {
  const { serverCert, clientCert, clientKey, accessToken } = auth;
  // A secret is not written down.
  const shown = shownUrl(url);
  const where = shown === url ? url : `${shown}#${createHash("sha256").update(url).digest("hex")}`;
  const { proxy } = proxyTo(url, process.env);
  const rest = [instanceName, serverCert, clientCert, clientKey, accessToken, proxy?.shown].map((each) => each ?? "");
  return rest.every((each) => each === "") ? where : JSON.stringify([where, ...rest]);
}

/** What still counts. A time in the future is that of a clock which was wrong. */
function current(failure: Failure | undefined, now: number): Failure | undefined {
  if (failure === undefined || now - failure.last >= memoryMs) return undefined;
  return failure.last > now || failure.until > now + longestPauseMs ? undefined : failure;
}

/** Commands that ran at the same time and failed together count once. */
function nextFailure(before: Failure | undefined, { url }: RemoteSpec, text: string, now: number): Failure {
  const why = text.slice(0, maxWhyLength);
  if (before !== undefined && before.until > now) return { ...before, why, last: now };
  const failures = (before?.failures ?? 0) + 1;
  const pause = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures - 1, 20));
  return { url: shownUrl(url), failures, since: before?.since ?? now, last: now, until: now + pause, why };
}

function blockOf({ until, since, why }: Failure): Blocked {
  return { until, since, why };
}
