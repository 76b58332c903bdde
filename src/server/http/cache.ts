import type { ActionCache } from "../../cache/action-cache.ts";
import { inlineNothing } from "../../cache/action-inline.ts";
import type { Tenants } from "../../cache/tenant.ts";
import type { HttpHandler, HttpRequest, HttpResponse } from "../../http/exchange.ts";
import type { Admission } from "../admission.ts";
import { type CachePath, parseCachePath } from "../cache-path.ts";
import { text } from "../http-status.ts";
import { reach } from "../rights.ts";
import { nameOfVisitor } from "../visitor-name.ts";
import { getBlob, putBlob } from "./cache-blobs.ts";

/** An ActionResult names outputs; with what is inlined it is as large as a message of gRPC. */
const maxResultBytes = 4 << 20;

export interface HttpCacheOptions {
  readonly tenants: Tenants;
  readonly admission: Admission;
  /** `undefined`: no limit. */
  readonly maxBlobBytes: number | undefined;
}

/**
 * Bazel's HTTP cache (bazel.build/remote/caching, "HTTP caching protocol"): `/ac/HASH` and `/cas/HASH`, with an instance name in front
 * where there is one; GET, HEAD, PUT. The same blobs, results and rights as by gRPC. Other paths are `next`'s.
 */
export function httpCache(options: HttpCacheOptions, next: HttpHandler): HttpHandler {
  return (request) => {
    const path = parseCachePath(request.path);
    if (path === undefined) return next(request);
    request.route = path.kind;
    return answer(request, path, options);
  };
}

async function answer(
  request: HttpRequest,
  path: CachePath,
  { tenants, admission, maxBlobBytes }: HttpCacheOptions,
): Promise<HttpResponse> {
  const { method } = request;
  if (method === "GET" || method === "HEAD") {
    const { blobs, actions } = reach(tenants, request, path.instance, "pull");
    return path.kind === "cas" ? getBlob(request, path, blobs) : getResult(path, actions);
  }
  if (method !== "PUT") return text(405, "GET, HEAD and PUT are served here\n", { allow: "GET, HEAD, PUT" });
  const { blobs, actions } = reach(tenants, request, path.instance, "push");
  const place = admission.upload(request);
  try {
    return await (path.kind === "cas"
      ? putBlob(request, path, blobs, maxBlobBytes)
      : putResult(request, path, actions));
  } finally {
    place.leave();
  }
}

async function getResult(path: CachePath, actions: ActionCache): Promise<HttpResponse> {
  const result = await actions.get(path, inlineNothing);
  if (result === undefined) return text(404, "there is no complete result of this action in this cache\n");
  // A later build may put another result in its place.
  return {
    status: 200,
    headers: { "content-type": "application/octet-stream", "cache-control": "no-cache" },
    body: result,
  };
}

async function putResult(request: HttpRequest, path: CachePath, actions: ActionCache): Promise<HttpResponse> {
  if (request.headers["content-encoding"] !== undefined) return text(415, "a result is sent as it is\n");
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for (let piece = await request.receive(); piece !== undefined; piece = await request.receive()) {
    bytes += piece.length;
    if (bytes > maxResultBytes) return text(413, `a result has at most ${maxResultBytes} bytes\n`);
    pieces.push(new Uint8Array(piece));
  }
  await actions.update(path, Buffer.concat(pieces), nameOfVisitor(request));
  return { status: 200, headers: {} };
}
