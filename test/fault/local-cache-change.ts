import { create, toBinary } from "@bufbuild/protobuf";
import type { ArtifactContent } from "../../src/artifact/artifact-content.ts";
import { contentOfMessage } from "../../src/artifact/message-content.ts";
import { type Digest, digestOf } from "../../src/base/digest.ts";
import { sha256 } from "../../src/base/digest-function.ts";
import type { IndexedArtifact } from "../../src/client/artifact-index.ts";
import { openArtifactTar } from "../../src/client/local/open-artifact-tar.ts";
import { openLocalCache } from "../../src/client/local/open-local-cache.ts";
import type { Place } from "../../src/client/place.ts";
import { DigestSchema } from "../../src/gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { ArtifactSchema } from "../../src/gen/buildstream/v2/artifact_pb.ts";

const { signal } = new AbortController();
const key = (digit: string): string => digit.repeat(64);

/** The blobs that are written, the last one in pieces. */
export const blobs = [
  ...Array.from({ length: 12 }, (_, i) => `blob ${i}\n`.repeat(10 + i * 40)),
  "large ".repeat(90_000),
].map((text) => ({ digest: digestOf(sha256, Buffer.from(text)), bytes: Buffer.from(text) }));

const large = blobs.at(-1) as (typeof blobs)[number];

function messageOf(log: Digest): Uint8Array {
  const digest = create(DigestSchema, { hash: log.hash, sizeBytes: BigInt(log.size) });
  const keys = { strongKey: key("1"), weakKey: key("2"), strictKey: key("1") };
  return toBinary(ArtifactSchema, create(ArtifactSchema, { version: 2, ...keys, logs: [{ name: "log", digest }] }));
}

const message = messageOf(large.digest);
const content: ArtifactContent = contentOfMessage(message, sha256);

/** An artifact of each kind of cache; that of 1.x is not looked into. */
export const artifacts: readonly IndexedArtifact[] = [
  { generation: "2.x" as const, content: digestOf(sha256, message), message },
  { generation: "1.x" as const, content: (blobs[0] as (typeof blobs)[number]).digest, message: undefined },
].map((each) => ({ project: "p", element: "e", keys: [key("1"), key("2")], ...each }));

export async function fill(place: Place): Promise<void> {
  for (const artifact of artifacts) {
    const to = place.blobsFor?.(artifact.generation);
    if (to === undefined) throw new Error("no blobs");
    await to.writeMany(blobs.slice(0, -1), signal);
    const pieces = async function* (from: number): AsyncGenerator<Uint8Array> {
      for (let at = from; at < large.bytes.length; at += 100_000) yield large.bytes.subarray(at, at + 100_000);
    };
    await to.write(large.digest, pieces, signal);
    await to.flush();
    await place.index?.publish(artifact, content, signal);
  }
}

/** Fills a cache in `directory`, and then an archive in there. */
export async function makeChange(directory: string): Promise<void> {
  await fill(await openLocalCache(directory));
  await using tar = await openArtifactTar(`${directory}/artifacts.tar`, "write");
  await fill(tar);
}
