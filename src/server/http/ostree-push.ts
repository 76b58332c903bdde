import { StillageError } from "../../base/errors.ts";
import type { RefChange } from "../../cache/commit-refs.ts";
import type { Tenant, Tenants } from "../../cache/tenant.ts";
import type { HttpHandler, HttpRequest, HttpResponse } from "../../http/exchange.ts";
import type { Admission } from "../admission.ts";
import { text } from "../http-status.ts";
import { reach } from "../rights.ts";
import { nameOfVisitor } from "../visitor-name.ts";

export interface OstreePushOptions {
  readonly tenants: Tenants;
  readonly admission: Admission;
  /** `undefined`: no limit. */
  readonly maxBlobBytes: number | undefined;
}

/** The refs of a push, with detached metadata of up to 1 MiB in Base64. */
const maxRefsBytes = 4 << 20;

const checksum = /^[0-9a-f]{64}$/;
const base64 = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * What BuildStream 1.0 pushes (docs/OSTREE.md, "Pushing"): `POST /ostree/[INSTANCE/]objects`, a tar stream of objects, then `POST /ostree/[INSTANCE/]refs`. Other
 * requests are `next`'s.
 */
export function ostreePush(options: OstreePushOptions, next: HttpHandler): HttpHandler {
  return (request) => {
    const [, instance, what] = /^\/ostree\/(?:(.{1,1000})\/)?(objects|refs)$/.exec(request.path) ?? [];
    const name = request.method === "POST" && what !== undefined ? decoded(instance ?? "") : undefined;
    if (name === undefined) return next(request);
    request.route = "ostree";
    const tenant = reach(options.tenants, request, name, "push");
    return what === "objects" ? putObjects(request, tenant, options) : setRefs(request, tenant);
  };
}

async function putObjects(
  request: HttpRequest,
  { pushes }: Tenant,
  { admission, maxBlobBytes }: OstreePushOptions,
): Promise<HttpResponse> {
  if (request.headers["content-encoding"] !== undefined) return text(415, "objects are sent as they are\n");
  const place = admission.upload(request);
  try {
    const { stored, present, detached } = await pushes.store(bodyOf(request), maxBlobBytes);
    const parts = [...detached].map(([commit, bytes]) => [commit, Buffer.from(bytes).toString("base64")]);
    return json({ stored, present, detached: Object.fromEntries(parts) });
  } finally {
    place.leave();
  }
}

async function setRefs(request: HttpRequest, { pushes }: Tenant): Promise<HttpResponse> {
  const body = await parsedBody(request);
  const changes = Object.entries(objectAt(body, "refs")).map(([name, change]) => changeOf(name, change));
  if (body.check === true) await pushes.check(changes);
  else await pushes.set({ changes, detached: detachedOf(body), by: nameOfVisitor(request) });
  return json({ refs: changes.length });
}

/** `{"to": HEX, "from"?: HEX or null}`. Errors: `invalid`. */
function changeOf(name: string, change: unknown): RefChange {
  const { to, from } = (typeof change === "object" && change !== null ? change : {}) as Record<string, unknown>;
  if (isChecksum(to) && (from === undefined || from === null || isChecksum(from))) return { name, to, from };
  throw malformed(`the ref ${JSON.stringify(name.slice(0, 200))} is to be no commit`);
}

/** Errors: `invalid`. */
function detachedOf(body: Readonly<Record<string, unknown>>): Map<string, Uint8Array> {
  const detached = new Map<string, Uint8Array>();
  for (const [commit, bytes] of Object.entries(body.detached === undefined ? {} : objectAt(body, "detached"))) {
    if (!isChecksum(commit) || typeof bytes !== "string" || !base64.test(bytes))
      throw malformed("detached metadata is Base64, by commits");
    detached.set(commit, Buffer.from(bytes, "base64"));
  }
  return detached;
}

function objectAt(body: Readonly<Record<string, unknown>>, name: string): object {
  const value = body[name];
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw malformed(`${name} is no object`);
}

/** Errors: `invalid`. */
async function parsedBody(request: HttpRequest): Promise<Readonly<Record<string, unknown>>> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of bodyOf(request)) {
    bytes += piece.length;
    if (bytes > maxRefsBytes) throw malformed(`it has more than ${maxRefsBytes} bytes`);
    pieces.push(new Uint8Array(piece));
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(pieces).toString());
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // told below, as what else is no object
  }
  throw malformed("it is no JSON object");
}

async function* bodyOf(request: HttpRequest): AsyncGenerator<Uint8Array> {
  for (let piece = await request.receive(); piece !== undefined; piece = await request.receive()) yield piece;
}

function isChecksum(value: unknown): value is string {
  return typeof value === "string" && checksum.test(value);
}

function malformed(why: string): StillageError {
  return new StillageError("invalid", `the request is not what sets refs: ${why}`);
}

function json(value: unknown): HttpResponse {
  const headers = { "content-type": "application/json", "cache-control": "no-store" };
  return { status: 200, headers, body: Buffer.from(`${JSON.stringify(value)}\n`) };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
