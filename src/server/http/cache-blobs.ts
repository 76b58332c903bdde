import { Readable } from "node:stream";
import { constants, createZstdCompress } from "node:zlib";
import { type Digest, parseDigest } from "../../base/digest.ts";
import { StillageError } from "../../base/errors.ts";
import { isPromise } from "../../base/maybe-promise.ts";
import type { HttpRequest, HttpResponse } from "../../http/exchange.ts";
import type { BlobStore } from "../../store/blob-store.ts";
import { BlobBody } from "../blob-body.ts";
import { checkBlobSize } from "../blob-limit.ts";
import { parseRange } from "../byte-range.ts";
import type { CachePath } from "../cache-path.ts";
import { matchesTag } from "../conditional.ts";
import { text } from "../http-status.ts";
import { worthCompressing, zstdLevel } from "../zstd.ts";
import { zstdContentSize } from "../zstd-content-size.ts";
import { ZstdDecoder } from "../zstd-decoder.ts";

/** Enough of a zstd stream for its frame's header (RFC 8878, section 3.1.1.1). */
const zstdHeadBytes = 18;

/**
 * GET or HEAD of a blob: one range of it, or all, with zstd where the client takes that. A blob never changes, so whoever stands between
 * may keep it for ever; not for others, where clients show who they are.
 */
export async function getBlob(request: HttpRequest, path: CachePath, blobs: BlobStore): Promise<HttpResponse> {
  const { method, headers, signal } = request;
  const size = await blobs.sizeOf(path.function, path.hash);
  const digest = size === undefined ? undefined : parseDigest(path.hash, size, path.function);
  if (digest === undefined) return text(404, "this blob is not in this cache\n");
  const range = parseRange(headers.range, digest.size);
  const zstd = range === undefined && digest.size >= worthCompressing && takesZstd(headers["accept-encoding"]);
  const etag = zstd ? `"${digest.hash}-zstd"` : `"${digest.hash}"`;
  const scope = request.caller.isPublic(path.instance) ? "public" : "private";
  const common = {
    etag,
    "accept-ranges": "bytes",
    "cache-control": `${scope}, max-age=31536000, immutable`,
    "content-type": "application/octet-stream",
    vary: "accept-encoding",
  };
  if (matchesTag(headers["if-none-match"], etag)) return { status: 304, headers: common };
  if (range === "unsatisfiable") {
    return text(416, `the blob has ${digest.size} bytes\n`, { "content-range": `bytes */${digest.size}` });
  }
  const { start, end } = range ?? { start: 0, end: digest.size };
  const length = { "content-length": String(end - start) };
  const part = range === undefined ? {} : { "content-range": `bytes ${start}-${end - 1}/${digest.size}` };
  const response = zstd
    ? { status: 200, headers: { ...common, "content-encoding": "zstd" } }
    : { status: range === undefined ? 200 : 206, headers: { ...common, ...length, ...part } };
  if (method === "HEAD" || start === end) return response;
  const blob = await blobs.open(digest);
  if (blob === undefined) return text(404, "this blob is not in this cache\n");
  const body = new BlobBody(blob, start, end, signal);
  return { ...response, body: zstd ? compressed(body) : body };
}

/** PUT of a blob, whose size its Content-Length tells, or the header of a zstd frame. Errors: those of an upload, and `invalid` without a size. */
export async function putBlob(
  request: HttpRequest,
  path: CachePath,
  blobs: BlobStore,
  maxBlobBytes: number | undefined,
): Promise<HttpResponse> {
  const encoding = request.headers["content-encoding"] ?? "identity";
  if (encoding === "identity") {
    const digest = parseDigest(path.hash, lengthOf(request), path.function);
    checkBlobSize(digest.size, maxBlobBytes);
    await store(request, digest, undefined, blobs);
  } else if (encoding === "zstd") {
    const head = await headOf(request);
    const size = zstdContentSize(head);
    if (size === undefined)
      return text(411, "the zstd frame does not tell the size of its content; send it uncompressed\n");
    const digest = parseDigest(path.hash, size, path.function);
    checkBlobSize(digest.size, maxBlobBytes);
    await store(request, digest, head, blobs);
  } else return text(415, `${JSON.stringify(encoding.slice(0, 50))} is not served; identity and zstd are\n`);
  return { status: 200, headers: {} };
}

/** Stores what comes; `head`: what has come of zstd data, if that is what it is. */
async function store(
  request: HttpRequest,
  digest: Digest,
  head: Uint8Array | undefined,
  blobs: BlobStore,
): Promise<void> {
  const upload = await blobs.upload(digest);
  try {
    if (head === undefined) {
      for (let piece = await request.receive(); piece !== undefined; piece = await request.receive()) {
        const written = upload.write(piece);
        if (isPromise(written)) await written;
      }
    } else await decode(request, head, (piece) => upload.write(piece));
    await upload.finish();
  } finally {
    await upload.abort();
  }
}

async function decode(request: HttpRequest, head: Uint8Array, sink: (piece: Uint8Array) => void | Promise<void>) {
  const decoder = new ZstdDecoder(sink);
  try {
    for (let piece: Uint8Array | undefined = head; piece !== undefined; piece = await request.receive()) {
      if (piece.length > 0) await decoder.write(piece);
    }
    await decoder.end();
  } finally {
    decoder.destroy();
  }
}

/** The first bytes of a body, enough to tell the size of zstd data. */
async function headOf(request: HttpRequest): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for (let bytes = 0; bytes < zstdHeadBytes; ) {
    const piece = await request.receive();
    if (piece === undefined) break;
    bytes += piece.length;
    pieces.push(new Uint8Array(piece));
  }
  return Buffer.concat(pieces);
}

function lengthOf({ headers }: HttpRequest): number {
  const length = headers["content-length"];
  if (length !== undefined && /^\d{1,15}$/.test(length)) return Number(length);
  throw new StillageError("invalid", "the request does not tell its length", {
    hint: "send a Content-Length; chunked uploads are not taken",
  });
}

function compressed(body: BlobBody): AsyncIterable<Uint8Array> {
  const params = { [constants.ZSTD_c_compressionLevel]: zstdLevel };
  const source = Readable.from(body, { objectMode: false });
  const encoder = createZstdCompress({ params });
  source.once("error", (error) => encoder.destroy(error));
  encoder.once("close", () => source.destroy());
  return source.pipe(encoder);
}

function takesZstd(header = ""): boolean {
  return header.split(",").some((each) => /^\s*zstd\s*(;\s*q=(1(\.0*)?|0?\.\d*[1-9]\d*)\s*)?$/i.test(each));
}
