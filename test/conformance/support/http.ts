import { request } from "node:http";
import { finished } from "node:stream/promises";
import { withSession } from "./raw-call.ts";

export interface HttpAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

export type HttpVersion = "HTTP/1.1" | "HTTP/2";

/** GETs a path of the server, over a connection of its own. */
export async function httpGet(url: string, path: string, version: HttpVersion): Promise<HttpAnswer> {
  try {
    return await (version === "HTTP/1.1" ? get1(url, path) : get2(url, path));
  } catch (error) {
    throw new Error(`no answer in ${version} to GET ${path}`, { cause: error });
  }
}

function placeOf(url: string): { socketPath: string } | { hostname: string; port: string } {
  if (url.startsWith("unix:")) return { socketPath: url.slice("unix:".length) };
  const { hostname, port } = new URL(url);
  return { hostname, port };
}

function get1(url: string, path: string): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const call = request({ ...placeOf(url), path, agent: false }, (response) => {
      const pieces: Buffer[] = [];
      response.on("data", (piece: Buffer) => pieces.push(piece));
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          type: response.headers["content-type"] ?? "",
          body: Buffer.concat(pieces).toString(),
        }),
      );
    });
    call.on("error", reject);
    call.end();
  });
}

function get2(url: string, path: string): Promise<HttpAnswer> {
  return withSession(url, async (session) => {
    const stream = session.request({ ":path": path });
    const pieces: Buffer[] = [];
    let [status, type] = [0, ""];
    stream.on("response", (headers) => {
      status = headers[":status"] ?? 0;
      type = headers["content-type"] ?? "";
    });
    stream.on("data", (piece: Buffer) => pieces.push(piece));
    await finished(stream);
    return { status, type, body: Buffer.concat(pieces).toString() };
  });
}
