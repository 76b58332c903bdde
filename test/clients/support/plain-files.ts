import { once } from "node:events";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join, normalize } from "node:path";

export interface PlainFiles extends AsyncDisposable {
  readonly url: string;
  /** Paths that were asked for. */
  readonly asked: readonly string[];
}

/** Answers a request in place of the file, where it gives true. */
export type Interference = (path: string, response: ServerResponse) => boolean;

/** A web server that knows nothing but files. */
export async function servePlainFiles(directory: string, interfere: Interference = () => false): Promise<PlainFiles> {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname));
    asked.push(path);
    if (interfere(path, response)) return;
    const file = join(directory, path);
    const stats = await stat(file).catch(() => undefined);
    if (!stats?.isFile()) return void response.writeHead(404).end();
    response.writeHead(200, { "content-length": stats.size });
    createReadStream(file).pipe(response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
