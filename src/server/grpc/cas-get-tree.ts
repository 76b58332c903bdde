import { decode } from "../../base/decode.ts";
import { type Digest, parseDigest } from "../../base/digest.ts";
import { StillageError } from "../../base/errors.ts";
import { isPromise } from "../../base/maybe-promise.ts";
import { tagOf, varintLength, wireBytes, writeVarint } from "../../base/protobuf.ts";
import type { Slots } from "../../cache/slots.ts";
import type { Tenants } from "../../cache/tenant.ts";
import { directoriesOf } from "../../cache/tree-walk.ts";
import { GetTreeRequestSchema } from "../../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import type { CallStream } from "../../rpc/service.ts";
import { reach } from "../rights.ts";
import { namedFunction } from "../wire/digest-fields.ts";

/** Directories in one response, unless the client asks for less. */
const maxPageSize = 1000;

/** Where a response is closed although its page is not full, and larger only for one directory that alone is. */
const pageBytes = 1 << 20;

/**
 * Trees that are sent at the same time, over all calls; more wait for their turn. A walk remembers some 50 bytes for each directory: a few
 * megabytes for the trees there are, and all walks together about a gigabyte if each were of the largest that is allowed.
 */
export const maxTreeWalks = 16;

/**
 * How long a client may take for a page: one that has stopped reading must not keep a walk from others for ever. Slow ones read a megabyte
 * in this time even at 10 KB/s.
 */
export const maxStallMs = 120_000;

const directoryTag = tagOf(1, wireBytes);
const tokenTag = tagOf(2, wireBytes);

/**
 * GetTree: the directories below a root, breadth first, each once, in pages that are streamed one after the other; a page's token
 * begins a later call behind it. A directory that is not here is left out; only the root must be. Errors: `not-found`, `invalid`, `exhausted`,
 * `aborted`.
 */
export async function streamTree(stream: CallStream, tenants: Tenants, walks: Slots): Promise<void> {
  const message = await stream.receive();
  if (message === undefined) throw new StillageError("invalid", "a GetTree without a message");
  const request = decode(GetTreeRequestSchema, message);
  const { blobs } = reach(tenants, stream, request.instanceName, "pull");
  if (request.rootDigest === undefined) throw new StillageError("invalid", "root_digest is missing");
  const root = parseDigest(
    request.rootDigest.hash,
    request.rootDigest.sizeBytes,
    namedFunction(request.digestFunction),
  );
  stream.subject = root.hash;
  const skip = parseToken(request.pageToken, root);
  const pageSize = request.pageSize > 0 ? Math.min(request.pageSize, maxPageSize) : maxPageSize;

  await walks.run(() => sendTree(stream, directoriesOf(blobs, root), { root, skip, pageSize }));
}

interface Pages {
  readonly root: Digest;
  /** Directories that earlier pages had. */
  readonly skip: number;
  readonly pageSize: number;
}

async function sendTree(stream: CallStream, tree: AsyncIterable<Uint8Array>, pages: Pages): Promise<void> {
  const { root, skip, pageSize } = pages;
  let page: Uint8Array[] = [];
  let bytes = 0;
  let seen = 0;
  for await (const directory of tree) {
    stream.signal.throwIfAborted(); // the first page to send may be far
    if (seen++ < skip) continue;
    const full = page.length === pageSize * 2 || bytes + directory.length > pageBytes;
    if (full && page.length > 0) {
      await sendPage(stream, [...page, encodeField(tokenTag, Buffer.from(`${seen - 1}-${root.hash}`))]);
      page = [];
      bytes = 0;
    }
    page.push(encodeHead(directoryTag, directory.length), directory);
    bytes += directory.length;
  }
  await sendPage(stream, page);
}

/** Sends a page to a client that reads. Errors: `aborted` for one that does not: its walk is in others' way. */
async function sendPage(stream: CallStream, parts: readonly Uint8Array[]): Promise<void> {
  const sent = stream.send({ parts });
  if (!isPromise(sent)) return;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        new StillageError("aborted", `nothing of the tree was read for ${maxStallMs / 1000} seconds`, {
          hint: "go on with the token of the last page",
        }),
      );
    }, maxStallMs);
  });
  try {
    await Promise.race([sent, late]);
  } finally {
    clearTimeout(timer);
  }
}

function parseToken(token: string, root: Digest): number {
  if (token === "") return 0;
  const [count, hash] = token.split("-");
  if (hash !== root.hash || !/^\d{1,9}$/.test(count ?? "")) {
    throw new StillageError("invalid", "page_token does not belong to this root");
  }
  return Number(count);
}

function encodeHead(tag: number, length: number): Uint8Array {
  const head = Buffer.allocUnsafe(1 + varintLength(length));
  head[0] = tag;
  writeVarint(head, 1, length);
  return head;
}

const encodeField = (tag: number, value: Uint8Array): Uint8Array =>
  Buffer.concat([encodeHead(tag, value.length), value]);
