import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { directorySource } from "../../../src/ostree/archive/directory-source.ts";

export interface WebFiles {
  readonly url: string;
  readonly server: Server;
  /** The paths that were asked for. */
  readonly asked: readonly string[];
}

/** The files below a folder, as any web server gives them; after so many files nothing is answered any more. */
export async function serveFiles(folder: string, most = Number.POSITIVE_INFINITY): Promise<WebFiles> {
  const files = directorySource(folder);
  const asked: string[] = [];
  const server = createServer(async ({ url = "/", method }, response) => {
    asked.push(url);
    if (asked.filter((each) => each.endsWith(".filez")).length > most - 1) return;
    const path = decodeURIComponent(url.slice(1));
    const size = await files.size(path);
    if (size === undefined) return void response.writeHead(404).end();
    response.writeHead(200, { "content-length": size });
    const content = method === "HEAD" ? undefined : await files.get(path, Number.MAX_SAFE_INTEGER);
    for await (const piece of content ?? []) response.write(piece);
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, asked };
}
