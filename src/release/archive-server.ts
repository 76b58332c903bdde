import { once } from "node:events";
import { type FileHandle, open } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

/** What of a repository is served: the files that a puller asks for. No segment begins with a dot, so none leads out. */
const served =
  /^\/(config|summary|summary\.sig|refs\/heads\/[\w][\w.-]*(?:\/[\w][\w.-]*)*|objects\/[0-9a-f]{2}\/[0-9a-f]{62}\.(?:filez|dirtree|dirmeta|commit|commitmeta)|delta(?:s|-indexes)\/[\w+-]{2}\/[\w+-]+(?:\.index|\/\w+)?)$/;

/** A server of an archive repository's files on this machine's loopback address, for whoever pulls through a tunnel. */
export interface ArchiveServer extends AsyncDisposable {
  readonly port: number;
}

/** Serves the files of the archive repository in a directory, for reading alone, at a free port. */
export async function serveArchive(directory: string): Promise<ArchiveServer> {
  const server = createServer((request, response) => {
    answer(directory, request, response).catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function answer(directory: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = "", url = "" } = request;
  request.resume();
  if (method !== "GET" && method !== "HEAD") return end(response, 405);
  // Real pullers put no escapes into such paths; some put a second slash behind the address.
  const [, path] = served.exec(url.replace(/^\/+/, "/")) ?? [];
  const file = path === undefined ? undefined : await openFile(join(directory, path));
  if (file === undefined) return end(response, 404);
  try {
    const stat = await file.stat();
    if (!stat.isFile()) return end(response, 404);
    response.writeHead(200, { "content-length": stat.size, "content-type": "application/octet-stream" });
    if (method === "HEAD" || stat.size === 0) response.end();
    else await pipeline(file.createReadStream({ autoClose: false, end: stat.size - 1 }), response);
  } finally {
    await file.close();
  }
}

function end(response: ServerResponse, status: number): void {
  response.writeHead(status, { "content-length": 0 }).end();
}

async function openFile(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, "r");
  } catch {
    return undefined;
  }
}
