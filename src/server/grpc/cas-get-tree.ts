import { decode } from "../../base/decode.ts";
import { type Digest, parseDigest } from "../../base/digest.ts";
import { functionOfValue } from "../../base/digest-function.ts";
import { StillageError } from "../../base/errors.ts";
import { tagOf, varintLength, wireBytes, writeVarint } from "../../base/protobuf.ts";
import type { Tenants } from "../../cache/tenant.ts";
import { directoriesOf } from "../../cache/tree-walk.ts";
import { GetTreeRequestSchema } from "../../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import type { CallStream } from "../../rpc/service.ts";

/** Directories in one response, unless the client asks for less. */
const maxPageSize = 1000;

/** Where a response is closed although its page is not full, and larger only for one directory that alone is. */
const pageBytes = 1 << 20;

const directoryTag = tagOf(1, wireBytes);
const tokenTag = tagOf(2, wireBytes);

/**
 * GetTree: the directories below a root, breadth first, each once, in pages that are streamed one after the other; a page's token
 * begins a later call behind it. A directory that is not here is left out; only the root must be. Errors: `not-found`, `invalid`.
 */
export async function streamTree(stream: CallStream, tenants: Tenants): Promise<void> {
  const message = await stream.receive();
  if (message === undefined) throw new StillageError("invalid", "a GetTree without a message");
  const request = decode(GetTreeRequestSchema, message);
  const { blobs } = tenants.find(request.instanceName);
  if (request.rootDigest === undefined) throw new StillageError("invalid", "root_digest is missing");
  const fn = request.digestFunction === 0 ? undefined : functionOfValue(request.digestFunction);
  const root = parseDigest(request.rootDigest.hash, request.rootDigest.sizeBytes, fn);
  const skip = parseToken(request.pageToken, root);
  const pageSize = request.pageSize > 0 ? Math.min(request.pageSize, maxPageSize) : maxPageSize;

  let page: Uint8Array[] = [];
  let bytes = 0;
  let seen = 0;
  for await (const directory of directoriesOf(blobs, root)) {
    if (seen++ < skip) continue;
    const full = page.length === pageSize * 2 || bytes + directory.length > pageBytes;
    if (full && page.length > 0) {
      await stream.send({ parts: [...page, encodeField(tokenTag, Buffer.from(`${seen - 1}-${root.hash}`))] });
      page = [];
      bytes = 0;
    }
    page.push(encodeHead(directoryTag, directory.length), directory);
    bytes += directory.length;
  }
  await stream.send({ parts: page });
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
