import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";

export interface ConnectProxyOptions {
  /** `USER:PASSWORD` that it wants. */
  readonly credentials?: string;
  /** The status with which it refuses. */
  readonly refuses?: number;
  /** Whether it never answers. */
  readonly silent?: boolean;
}

/** A proxy of HTTP that does what it is asked: tunnels, and plain requests by their whole URL. */
export interface ConnectProxy extends AsyncDisposable {
  /** `HOST:PORT`. */
  readonly address: string;
  /** Where it was asked to, in order: `CONNECT host:port`, `GET http://…`. */
  readonly asked: readonly string[];
  /** Cuts all tunnels. */
  cut(): void;
}

export async function startConnectProxy(options: ConnectProxyOptions = {}): Promise<ConnectProxy> {
  const { credentials, refuses, silent = false } = options;
  const asked: string[] = [];
  const open = new Set<Duplex>();
  const wanted = credentials === undefined ? undefined : `Basic ${Buffer.from(credentials).toString("base64")}`;
  /** The status of the refusal, if it is one. */
  const refusal = ({ method, url, headers }: IncomingMessage): number | undefined => {
    asked.push(`${method} ${url}`);
    return wanted === undefined || headers["proxy-authorization"] === wanted ? refuses : 407;
  };
  const server = createServer((request, response) => {
    const status = refusal(request);
    if (silent) return;
    if (status !== undefined) return void response.writeHead(status).end();
    const { "proxy-authorization": _, ...headers } = request.headers;
    const passed = httpRequest(request.url ?? "", { method: request.method ?? "GET", headers });
    passed.on("response", (answer) => answer.pipe(response.writeHead(answer.statusCode ?? 502, answer.headers)));
    passed.on("error", () => response.destroy());
    request.pipe(passed);
  });
  server.on("connect", (request, client: Socket, head) => {
    const status = refusal(request);
    client.on("error", () => {});
    if (silent) return;
    if (status !== undefined) return void client.end(`HTTP/1.1 ${status} Refused\r\n\r\n`);
    const [, host = "", port = ""] = /^\[?([^\]]*)\]?:(\d+)$/.exec(request.url ?? "") ?? [];
    const to = connect({ host, port: Number(port) }, () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      to.write(head);
      client.pipe(to).pipe(client);
    });
    for (const [one, other] of [
      [client, to],
      [to, client],
    ] as const) {
      open.add(one);
      one
        .on("error", () => {})
        .once("close", () => {
          open.delete(one);
          other.destroy();
        });
    }
  });
  server.on("connection", (socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const cut = (): void => {
    for (const each of open) each.destroy();
  };
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    cut,
    async [Symbol.asyncDispose]() {
      server.close();
      cut();
    },
  };
}
