import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { lookupHost } from "../../base/host-lookup.ts";
import { type HttpProxy, openTunnel } from "../../base/proxy.ts";
import { parseServerUrl } from "../../rpc/client/server-url.ts";

/** What a server turns out to speak: HTTP/1 without or HTTP/2 without TLS, or TLS. `undefined`: it does not say. */
export type SpokenProtocol = "http/1" | "http/2" | "tls" | undefined;

type Place = ReturnType<typeof parseServerUrl>["where"];

/** With the client's preface of HTTP/2 (RFC 9113 section 3.4) and empty SETTINGS any server says something: a frame, an error of HTTP/1, or an alert. */
const preface = Buffer.concat([
  Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
]);

/** The head of a frame. */
const enoughBytes = 9;

/** For a question that only makes a message better. */
const waitMs = 1000;

/** Asks, over connections of its own, what speaks at a URL. Never fails. */
export async function firstWords(
  url: string,
  proxy: HttpProxy | undefined,
  signal: AbortSignal,
): Promise<SpokenProtocol> {
  const { where } = parseServerUrl(url);
  const ends = AbortSignal.any([signal, AbortSignal.timeout(2 * waitMs)]);
  try {
    const heard = await heardInTheClear(await reach(where, proxy, ends), ends);
    // Servers of TLS end the connection more often than they send the alert that is due.
    return heard === undefined && (await shakesHands(await reach(where, proxy, ends), ends)) ? "tls" : heard;
  } catch {
    return undefined;
  }
}

/** A connection, which may still be under way. */
async function reach(where: Place, proxy: HttpProxy | undefined, signal: AbortSignal): Promise<Socket> {
  if (proxy === undefined || "path" in where) return connect({ ...where, lookup: lookupHost });
  return openTunnel(proxy, where.host, where.port, { signal });
}

function heardInTheClear(socket: Socket, signal: AbortSignal): Promise<SpokenProtocol> {
  const { promise, resolve } = Promise.withResolvers<SpokenProtocol>();
  let heard = Buffer.alloc(0);
  const end = (): void => {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
    socket.destroy();
    resolve(protocolOf(heard));
  };
  const timer = setTimeout(end, waitMs);
  signal.addEventListener("abort", end, { once: true });
  socket.on("data", (chunk: Buffer) => {
    heard = Buffer.concat([heard, chunk]);
    if (heard.length >= enoughBytes) end();
  });
  socket.on("error", end);
  socket.on("close", end);
  // Sent when the connection stands.
  socket.write(preface);
  return promise;
}

/** Nothing is sent but the handshake, so whom that is with does not matter. */
function shakesHands(raw: Socket, signal: AbortSignal): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connectTls({ socket: raw, ALPNProtocols: ["h2"], rejectUnauthorized: false });
  const end = (tls: boolean): void => {
    clearTimeout(timer);
    signal.removeEventListener("abort", no);
    socket.destroy();
    raw.destroy();
    resolve(tls);
  };
  const no = (): void => end(false);
  const timer = setTimeout(no, waitMs);
  signal.addEventListener("abort", no, { once: true });
  socket.on("secureConnect", () => end(true));
  socket.on("error", ({ code = "" }: NodeJS.ErrnoException) => end(code.includes("_ALERT_")));
  socket.on("close", no);
  raw.on("error", no);
  return promise;
}

function protocolOf(heard: Buffer): SpokenProtocol {
  if (heard.toString("latin1", 0, 5) === "HTTP/") return "http/1";
  if (heard[0] === 0x15 && heard[1] === 3) return "tls"; // an alert (RFC 8446 section 5.1)
  if (heard.length >= enoughBytes && heard[3] === 4 && heard.readUInt32BE(5) === 0) return "http/2";
  return undefined;
}
