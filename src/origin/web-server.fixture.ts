import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A web server on loopback, for tests. */
export interface WebServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, or `https://localhost:PORT`. */
  readonly url: string;
  readonly port: number;
  /** What was asked for, in order. */
  readonly requests: IncomingMessage[];
  /** What a path answers; others are 404. */
  on(path: string, answer: Handler | string | Buffer): void;
  /** How often a path was asked for. */
  count(path: string): number;
}

export interface Identity {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** A certificate for `localhost` that is its own authority. */
export function selfSigned(): Identity {
  const folder = mkdtempSync(join(tmpdir(), "stillage-origin-"));
  try {
    const [cert, key] = [join(folder, "crt"), join(folder, "key")];
    const words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
    execFileSync("openssl", [...words, "-keyout", key, "-out", cert, ...names], { stdio: "ignore" });
    return { cert: readFileSync(cert), key: readFileSync(key) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export async function startWebServer(identity?: Identity): Promise<WebServer> {
  const answers = new Map<string, Handler>();
  const requests: IncomingMessage[] = [];
  const pathOf = ({ url = "" }: IncomingMessage) => url.replace(/\?.*$/, "");
  const listener: RequestListener = (request, response) => {
    requests.push(request);
    const answer = answers.get(pathOf(request));
    if (answer === undefined) response.writeHead(404).end();
    else answer(request, response);
  };
  const server = identity === undefined ? createServer(listener) : createSecureServer({ ...identity }, listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: identity === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`,
    port,
    requests,
    on: (path, answer) => {
      const handler: Handler =
        typeof answer === "function"
          ? answer
          : (_, response) => response.writeHead(200, { "content-length": Buffer.byteLength(answer) }).end(answer);
      answers.set(path, handler);
    },
    count: (path) => requests.filter((request) => pathOf(request) === path).length,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
