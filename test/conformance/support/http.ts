import { type IncomingHttpHeaders, request } from "node:http";
import { finished } from "node:stream/promises";
import { withSession } from "./raw-call.ts";

export interface HttpQuestion {
  readonly path: string;
  /** GET where it is left out. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export type HttpVersion = "HTTP/1.1" | "HTTP/2";

/** Asks the server over a connection of its own. Nothing is decoded. */
export async function http(url: string, question: HttpQuestion, version: HttpVersion): Promise<HttpAnswer> {
  try {
    return await (version === "HTTP/1.1" ? ask1(url, question) : ask2(url, question));
  } catch (error) {
    throw new Error(`no answer in ${version} to ${question.method ?? "GET"} ${question.path}`, { cause: error });
  }
}

/** GETs a page, as text. */
export async function httpGet(url: string, path: string, version: HttpVersion) {
  const { status, headers, body } = await http(url, { path }, version);
  return { status, type: headers["content-type"] ?? "", body: body.toString() };
}

function placeOf(url: string): { socketPath: string } | { hostname: string; port: string } {
  if (url.startsWith("unix:")) return { socketPath: url.slice("unix:".length) };
  const { hostname, port } = new URL(url);
  return { hostname, port };
}

function ask1(url: string, { path, method = "GET", headers = {}, body }: HttpQuestion): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "content-length": String(body.length) };
    const options = { ...placeOf(url), path, method, headers: { ...length, ...headers }, agent: false };
    const call = request(options, (response) => {
      const pieces: Buffer[] = [];
      response.on("data", (piece: Buffer) => pieces.push(piece));
      response.on("error", reject);
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(pieces) });
      });
    });
    call.on("error", reject);
    call.end(body);
  });
}

function ask2(url: string, { path, method = "GET", headers = {}, body }: HttpQuestion): Promise<HttpAnswer> {
  return withSession(url, async (session) => {
    const length = body === undefined ? {} : { "content-length": String(body.length) };
    const head = { ":path": path, ":method": method, ...length, ...headers };
    const stream = session.request(head, { endStream: body === undefined });
    const pieces: Buffer[] = [];
    let found: IncomingHttpHeaders & { ":status"?: number | undefined } = {};
    stream.on("response", (response) => {
      found = response;
    });
    stream.on("data", (piece: Buffer) => pieces.push(piece));
    if (body !== undefined) stream.end(body);
    await finished(stream);
    return { status: found[":status"] ?? 0, headers: found, body: Buffer.concat(pieces) };
  });
}
