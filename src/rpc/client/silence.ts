import type { ClientHttp2Session } from "node:http2";

/** A connection that is watched. */
interface Watched {
  readonly socket: { readonly bytesRead: number; once(event: "close", then: () => void): unknown };
  /** Calls in progress. */
  readonly calls: number;
  giveUp(message: string): void;
}

/** How often a connection is looked at, as parts of the time after which it is asked. */
const looks = 4;

/**
 * Asks a server that says nothing while calls are in progress by a PING, and gives up the connection where nothing at all comes for `silentMs`. The time from one PING to
 * the next doubles until the server sends more than its answers: servers of the gRPC project end connections that ask often and carry nothing (doc/keepalive.md).
 */
export function watchSilence(
  session: Watched,
  http2: ClientHttp2Session,
  { pingAfterMs, silentMs }: { readonly pingAfterMs?: number; readonly silentMs?: number },
): void {
  if (pingAfterMs === undefined || silentMs === undefined) return;
  const { socket } = session;
  let heard = performance.now();
  let wait = pingAfterMs;
  let read = 0;
  let asked: "no" | "waiting" | "answered" = "no";
  const look = (): void => {
    const now = performance.now();
    if (session.calls === 0 || socket.bytesRead !== read) {
      // What came while an answer was waited for may be that alone.
      if (asked === "no" || session.calls === 0) wait = pingAfterMs;
      if (asked === "answered") asked = "no";
      heard = now;
      read = socket.bytesRead;
      return;
    }
    const silent = now - heard;
    if (silent >= silentMs && asked === "waiting") {
      const why = `the server has said nothing for ${Math.round(silent / 1000)} s, and does not answer a PING`;
      // Where it was this process that was busy, what came meanwhile is read first.
      setImmediate(() => {
        if (socket.bytesRead === read) session.giveUp(why);
      });
    } else if (silent >= wait && asked === "no") {
      wait *= 2;
      asked = "waiting";
      const answered = (): void => {
        asked = "answered";
      };
      if (!http2.destroyed) http2.ping(answered);
    }
  };
  const timer = setInterval(look, Math.max(1, Math.floor(pingAfterMs / looks)));
  timer.unref();
  socket.once("close", () => clearInterval(timer));
}
