import { once } from "node:events";
import { createServer as createHttp2Server, type Http2Server } from "node:http2";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

/**
 * Servers that accept connections and then do too little. `mute` says nothing at all; `settings` says the first word of HTTP/2 and no more; `pings` speaks HTTP/2 well, PINGs
 * answered, and never answers a call.
 */
export type Silence = "mute" | "settings" | "pings";

export interface SilentServer extends AsyncDisposable {
  readonly address: string;
  /** How many connections there were. */
  readonly connections: number;
}

/** An empty SETTINGS frame (RFC 9113 section 6.5). */
const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);

export async function startSilentServer(silence: Silence): Promise<SilentServer> {
  const server: Server | Http2Server = silence === "pings" ? createHttp2Server() : createServer();
  const open = new Set<Socket>();
  let connections = 0;
  server.on("connection", (socket: Socket) => {
    connections++;
    open.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => open.delete(socket));
    if (silence === "pings") return;
    socket.resume();
    if (silence === "settings") socket.write(settings);
  });
  if (silence === "pings") (server as Http2Server).on("stream", (stream) => stream.on("error", () => {}).resume());
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connections() {
      return connections;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
