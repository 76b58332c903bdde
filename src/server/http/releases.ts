import type { HttpHandler, HttpRequest, HttpResponse } from "../../http/exchange.ts";
import { BlobBody } from "../blob-body.ts";
import { parseCachePath } from "../cache-path.ts";
import { isUnmodified, matchesTag } from "../conditional.ts";
import { contentTypeOf } from "../content-type.ts";
import { text } from "../http-status.ts";
import { type PublicFile, publicSegments } from "../releases/public-files.ts";
import { ReleaseFiles } from "../releases/release-files.ts";
import { requireRight } from "../rights.ts";
import { releaseList } from "./releases-list.ts";

const prefix = "/releases";

/** A file up to here is read and answered in one piece. */
const wholeBytes = 64 << 10;

/** Objects are named by what is in them; only what is attached to a commit may change. */
const isObject = /^repo\/objects\/[0-9a-f]{2}\/[0-9a-f]{62}\.(commit|dirtree|dirmeta|filez)$/;

/** What publishers put beside releases runs no program in a browser, and takes nothing from elsewhere. */
const harmless = {
  "content-security-policy": "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; sandbox",
  "x-content-type-options": "nosniff",
};

/**
 * Release repositories as a plain web server would have them: `/releases/` lists them, `/releases/NAME/…` are the files of one, of which `repo` is the
 * OSTree repository. For those who may pull in the instance "". Nothing is served where no directory is set; other paths are `next`'s.
 */
export function releases(
  { releases: directory }: { readonly releases: string | undefined },
  next: HttpHandler,
): HttpHandler {
  if (directory === undefined) return next;
  const files = new ReleaseFiles(directory);
  return (request) => {
    const { path } = request;
    const isOurs = path === prefix || path.startsWith(`${prefix}/`);
    // An instance may be called as we are.
    if (!isOurs || parseCachePath(path) !== undefined) return next(request);
    request.route = "releases";
    return answer(request, path.slice(prefix.length), files);
  };
}

async function answer(request: HttpRequest, path: string, files: ReleaseFiles): Promise<HttpResponse> {
  requireRight(request, "", "pull");
  if (request.method !== "GET" && request.method !== "HEAD")
    return text(405, "this can be read only\n", { allow: "GET, HEAD" });
  if (path === "") return redirect(`${prefix}/`);
  if (path === "/") return releaseList(request, await files.names());
  const slash = path.indexOf("/", 1);
  if (slash < 0)
    return (await files.open(path.slice(1), [])) === "directory" ? redirect(`${prefix}${path}/`) : nothing();
  const [name, rest] = [path.slice(1, slash), path.slice(slash + 1)];
  const isPage = rest === "" || rest.endsWith("/");
  const segments = publicSegments(isPage ? `${rest}index.html` : rest);
  const [folder, which] = segments?.length === 2 ? segments : [];
  if (folder === "repo" && (which === "summary" || which === "summary.sig")) {
    const file = await files.summary(name, which, request.peer);
    if (file === undefined) return nothing();
    const headers = headersOf(request, file, file.bytes.length, rest);
    return unchanged(request, headers, file) ?? { status: 200, headers, body: file.bytes };
  }
  const file = segments && (await files.open(name, segments));
  if (file === undefined) return nothing();
  if (file === "directory") {
    const page = isPage || segments === undefined ? undefined : await files.open(name, [...segments, "index.html"]);
    if (page === undefined || page === "directory") return nothing();
    page.close();
    return redirect(`${prefix}${path}/`);
  }
  return fileResponse(request, file, isPage ? "index.html" : rest);
}

async function fileResponse(request: HttpRequest, file: PublicFile, path: string): Promise<HttpResponse> {
  const headers = headersOf(request, file, file.size, path);
  const known = unchanged(request, headers, file);
  if (known !== undefined || request.method === "HEAD" || file.size === 0) {
    file.close();
    return known ?? { status: 200, headers };
  }
  if (file.size > wholeBytes) return { status: 200, headers, body: new BlobBody(file, 0, file.size, request.signal) };
  try {
    const body = Buffer.allocUnsafe(file.size);
    await file.read(body, 0);
    return { status: 200, headers, body };
  } finally {
    file.close();
  }
}

type Shown = Pick<PublicFile, "tag" | "modified">;

/** 304 where the client has it already. */
function unchanged(
  request: HttpRequest,
  headers: Record<string, string>,
  { tag, modified }: Shown,
): HttpResponse | undefined {
  const known = matchesTag(request.headers["if-none-match"], `"${tag}"`) || isUnmodified(request.headers, modified);
  if (!known) return undefined;
  const { "content-length": _, ...others } = headers;
  return { status: 304, headers: others };
}

function headersOf(request: HttpRequest, { tag, modified }: Shown, size: number, path: string): Record<string, string> {
  const scope = request.caller.isPublic("") ? "public" : "private";
  return {
    etag: `"${tag}"`,
    "last-modified": new Date(modified).toUTCString(),
    "cache-control": isObject.test(path) ? `${scope}, max-age=31536000, immutable` : "no-cache",
    "content-type": contentTypeOf(path),
    "content-length": String(size),
    ...harmless,
  };
}

function redirect(location: string): HttpResponse {
  return text(308, `see ${location}\n`, { location });
}

function nothing(): HttpResponse {
  return text(404, "there is nothing here\n");
}
