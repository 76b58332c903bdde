import { once } from "node:events";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join, normalize } from "node:path";

export interface PlainFiles extends AsyncDisposable {
  readonly url: string;
}

/** A web server that knows nothing but files; with PEM of a key and a certificate, by TLS. */
export async function servePlainFiles(directory: string, tls?: { key: string; cert: string }): Promise<PlainFiles> {
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname));
    const file = join(directory, path);
    const stats = await stat(file).catch(() => undefined);
    if (!stats?.isFile()) return void response.writeHead(404).end();
    response.writeHead(200, { "content-length": stats.size });
    createReadStream(file).pipe(response);
  };
  const server = tls === undefined ? createServer(answer) : createSecureServer(tls, answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
