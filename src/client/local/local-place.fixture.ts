import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { artifactMessage, keyOf } from "../../artifact/artifact.fixture.ts";
import { contentOfMessage } from "../../artifact/message-content.ts";
import { type Digest, digestOf } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import { StillageError } from "../../base/errors.ts";
import { memoryTenant } from "../../cache/tenant.fixture.ts";
import type { ArtifactIndex, IndexedArtifact } from "../artifact-index.ts";
import { type BlobSource, oneByOne } from "../blob-place.ts";
import type { BlobPlace, Place } from "../place.ts";

export const { signal } = new AbortController();

/** A directory that goes with whoever has it. */
export async function freshDirectory(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "local-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

/** What is not what it is called is refused, and is not there; of one in pieces, which its source verifies, what has other pieces. */
export async function refusesOtherBytes(blobs: BlobPlace): Promise<void> {
  const { digest, bytes } = textBlob("what it is");
  const wrong = bytes.toReversed();
  await assert.rejects(blobs.writeMany([{ digest, bytes: wrong }], signal), { code: "corrupt" });
  for (const size of [3, 30]) {
    const longer = blobs.write(digest, () => piecesOf(Buffer.concat([bytes, wrong]), size), signal);
    await assert.rejects(longer, { code: "corrupt" });
    const refused = async function* (): AsyncGenerator<Uint8Array> {
      yield* piecesOf(wrong, size);
      throw new StillageError("corrupt", "its source says so");
    };
    await assert.rejects(blobs.write(digest, refused, signal), { code: "corrupt" });
  }
  assert.deepEqual(await blobs.missing([digest, digest], signal), [digest]);
}

/** Pieces that are taken all at once are what they were when they came. */
export async function givesPiecesAway(blobs: BlobPlace): Promise<void> {
  const { digest, bytes } = blobOf(Buffer.from(Array.from({ length: 600_000 }, (_, i) => i).join()));
  await blobs.write(digest, (from) => piecesOf(bytes, 1 << 20, from), signal);
  const pieces: Uint8Array[] = [];
  for await (const piece of blobs.read(digest, 0, signal)) pieces.push(piece);
  assert.ok(pieces.length > 1 && Buffer.concat(pieces).equals(bytes));
}

export const blobOf = (bytes: Uint8Array) => ({ digest: digestOf(sha256, bytes), bytes });
export const textBlob = (text: string) => blobOf(Buffer.from(text));

/** What a source has of these, by hash, and what not. */
export async function readAll(source: BlobSource, digests: readonly Digest[]) {
  const found = new Map<string, Buffer>();
  const missing = await source.readMany(
    digests,
    oneByOne(({ hash }, bytes) => void found.set(hash, Buffer.from(bytes))),
    signal,
  );
  return { found, missing };
}

export async function* piecesOf(bytes: Uint8Array, size: number, from = 0): AsyncGenerator<Uint8Array> {
  for (let at = from; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export async function whole(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(Buffer.from(piece));
  return Buffer.concat(all);
}

export async function artifact(more = {}): Promise<IndexedArtifact> {
  const message = await artifactMessage(memoryTenant(""), more);
  const content = digestOf(sha256, message);
  return { project: "os", element: "app", keys: [keyOf("1"), keyOf("2")], generation: "2.x", content, message };
}

export const contentOf = ({ message }: IndexedArtifact) => contentOfMessage(message as Uint8Array, sha256);

export async function listed(place: Place, project: string, element: string, key: string): Promise<string[]> {
  const names: string[] = [];
  for await (const each of (place.index as ArtifactIndex).list([{ project, element, key }], signal)) {
    names.push(`${each.project}/${each.element} ${each.keys.map((k) => k[0]).join("")} ${each.generation}`);
  }
  return names;
}
