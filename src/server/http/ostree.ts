import { createHash } from "node:crypto";
import { parseDigest } from "../../base/digest.ts";
import { type DigestFunction, ostree, sha256 } from "../../base/digest-function.ts";
import { asStillageError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { CommitDesk } from "../../cache/commit-index.ts";
import type { Tenants } from "../../cache/tenant.ts";
import type { HttpHandler, HttpRequest, HttpResponse } from "../../http/exchange.ts";
import type { BlobStore } from "../../store/blob-store.ts";
import { BlobBody } from "../blob-body.ts";
import { matchesTag } from "../conditional.ts";
import { text } from "../http-status.ts";
import { type OstreePath, parseOstreePath } from "../ostree-path.ts";
import { reach } from "../rights.ts";

/** An object up to here is read and answered in one piece: most are, and each piece costs more than its bytes. */
const wholeBytes = 64 << 10;

/** What clients ask first: this is how such a repository is called since 2011. */
const config = Buffer.from("[core]\nrepo_version=1\nmode=archive-z2\n");

export interface OstreeCacheOptions {
  readonly tenants: Tenants;
  /** The commits of an instance that there is. */
  readonly commits: (instance: string) => CommitDesk;
  readonly log: Log;
}

/**
 * The artifacts of BuildStream 1.0 as an OSTree repository of mode `archive`, read only: `/ostree/[INSTANCE/]` before `config`, `summary`, `refs/heads/REF` and
 * `objects/XX/REST.TYPE`. Whatever else such a repository may have is not there, said with a plain 404, as clients ask for much that need not be. Other
 * paths are `next`'s.
 */
export function ostreeCache(options: OstreeCacheOptions, next: HttpHandler): HttpHandler {
  return (request) => {
    const path = request.path.startsWith("/ostree/") ? parseOstreePath(request.path) : undefined;
    if (path === undefined) return next(request);
    request.route = "ostree";
    return answer(request, path, options);
  };
}

async function answer(request: HttpRequest, path: OstreePath, options: OstreeCacheOptions): Promise<HttpResponse> {
  const { method } = request;
  if (method !== "GET" && method !== "HEAD") return text(405, "GET and HEAD are served here\n", { allow: "GET, HEAD" });
  const { blobs } = reach(options.tenants, request, path.instance, "pull");
  const commits = options.commits(path.instance);
  switch (path.kind) {
    case "config":
      return changing(request, config);
    case "summary": {
      const summary = await commits.summary();
      return summary === undefined ? absent : changing(request, summary.bytes, summary.tag);
    }
    case "ref": {
      const commit = await commits.head(path.ref);
      return commit === undefined ? absent : changing(request, Buffer.from(`${commit}\n`), commit);
    }
    case "detached": {
      const bytes = await commits.detached(path.checksum);
      return bytes === undefined ? absent : changing(request, bytes);
    }
    case "commit":
      return (await commits.pull(path.checksum)) === undefined
        ? absent
        : object(request, path, sha256, blobs, options.log);
    case "metadata":
      return object(request, path, sha256, blobs, options.log);
    case "file":
      return object(request, path, ostree, blobs, options.log);
    case "absent":
      return absent;
  }
}

/** Clients ask for what need not be there so often that it is made once. */
const absent = text(404, "this is not in this cache\n");

/** What may be another tomorrow. `tag`: what tells one from another. */
function changing(request: HttpRequest, bytes: Uint8Array, tag: string = sha256Of(bytes)): HttpResponse {
  const etag = `"${tag}"`;
  const headers = { etag, "cache-control": "no-cache", "content-type": "application/octet-stream" };
  if (matchesTag(request.headers["if-none-match"], etag)) return { status: 304, headers };
  return { status: 200, headers: { ...headers, "content-length": String(bytes.length) }, body: bytes };
}

/** An object, which never changes: whoever stands between may keep it for ever; not for others, where clients show who they are. */
async function object(
  request: HttpRequest,
  { instance, checksum }: { readonly instance: string; readonly checksum: string },
  fn: DigestFunction,
  blobs: BlobStore,
  log: Log,
): Promise<HttpResponse> {
  const size = await blobs.sizeOf(fn, checksum);
  if (size === undefined || size === 0) return absent;
  const etag = `"${checksum}"`;
  const scope = request.caller.isPublic(instance) ? "public" : "private";
  const kept = {
    etag,
    "cache-control": `${scope}, max-age=31536000, immutable`,
    "content-type": "application/octet-stream",
  };
  if (matchesTag(request.headers["if-none-match"], etag)) return { status: 304, headers: kept };
  const headers = { ...kept, "content-length": String(size) };
  // Also to HEAD: who asks for it relies on it.
  const blob = await blobs.open(parseDigest(checksum, size, fn));
  if (blob === undefined) return absent;
  if (request.method === "GET" && size > wholeBytes) {
    return { status: 200, headers, body: new BlobBody(blob, 0, size, request.signal) };
  }
  try {
    if (request.method === "HEAD") return { status: 200, headers };
    const body = Buffer.allocUnsafe(size);
    await blob.read(body, 0);
    return { status: 200, headers, body };
  } catch (error) {
    const { code, message } = asStillageError(error);
    if (code !== "corrupt") throw error;
    log.error({ instance, object: checksum, error: message }, "an object is damaged, and not given out");
    return absent;
  } finally {
    blob.close();
  }
}

function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
