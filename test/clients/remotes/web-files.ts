import { readFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { createSecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { directorySource } from "../../../src/ostree/archive/directory-source.ts";
import type { KeyPair } from "../support/certificates.ts";

export interface WebFiles {
  readonly url: string;
  readonly server: Server;
  /** The paths that were asked for. */
  readonly asked: readonly string[];
}

/** The files below a folder, as any web server gives them, with `tls` by HTTP/2 as well; after so many files nothing is answered any more. */
export async function serveFiles(
  folder: string,
  { most = Number.POSITIVE_INFINITY, tls }: { readonly most?: number; readonly tls?: KeyPair } = {},
): Promise<WebFiles> {
  const files = directorySource(folder);
  const asked: string[] = [];
  const answer: RequestListener = async ({ url = "/", method }, response) => {
    asked.push(url);
    if (asked.filter((each) => each.endsWith(".filez")).length > most - 1) return;
    const path = decodeURIComponent(url.slice(1));
    const size = await files.size(path);
    if (size === undefined) {
      return void response.writeHead(404, { "content-type": "text/html" }).end("<html>There is no such page</html>");
    }
    response.writeHead(200, { "content-length": size });
    const content = method === "HEAD" ? undefined : await files.get(path, Number.MAX_SAFE_INTEGER);
    for await (const piece of content ?? []) response.write(piece);
    response.end();
  };
  const server = tls === undefined ? createServer(answer) : secureServer(tls, answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const scheme = tls === undefined ? "http" : "https";
  return { url: `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`, server, asked };
}

function secureServer({ certificate, key }: KeyPair, answer: RequestListener): Server {
  const options = { cert: readFileSync(certificate), key: readFileSync(key), allowHTTP1: true };
  // What is asked by HTTP/2 looks the same.
  return createSecureServer(
    options,
    answer as unknown as Parameters<typeof createSecureServer>[1],
  ) as unknown as Server;
}
