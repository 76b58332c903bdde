import { create, toBinary } from "@bufbuild/protobuf";
import { contentOfMessage } from "../../../src/artifact/message-content.ts";
import { type Digest, digestOf } from "../../../src/base/digest.ts";
import { sha256 } from "../../../src/base/digest-function.ts";
import { openLocalCache } from "../../../src/client/local/open-local-cache.ts";
import { DirectorySchema } from "../../../src/gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { ArtifactSchema } from "../../../src/gen/buildstream/v2/artifact_pb.ts";

/** Files of an artifact, by name; a name that ends in a slash stands for a directory of them. */
export interface Files {
  readonly [name: string]: string | Files;
}

export interface CachedArtifact {
  readonly name: string;
  readonly key: string;
  readonly files: Files;
  readonly log?: { readonly name: string; readonly text: string };
}

/** Puts artifacts into the cache of BuildStream 2 in a directory, the same bytes each time. */
export async function fillCache(directory: string, artifacts: readonly CachedArtifact[]): Promise<void> {
  const { signal } = new AbortController();
  await using cache = await openLocalCache(directory);
  for (const { name, key, files, log } of artifacts) {
    const blobs = new Map<string, { digest: Digest; bytes: Uint8Array }>();
    const put = (bytes: Uint8Array) => {
      const digest = digestOf(sha256, bytes);
      blobs.set(digest.hash, { digest, bytes });
      return { hash: digest.hash, sizeBytes: BigInt(digest.size) };
    };
    const putFiles = (folder: Files): ReturnType<typeof put> => {
      const entries = Object.entries(folder).sort(([a], [b]) => (a < b ? -1 : 1));
      const made = create(DirectorySchema, {
        files: entries.flatMap(([file, content]) =>
          typeof content === "string" ? [{ name: file, digest: put(Buffer.from(content)) }] : [],
        ),
        directories: entries.flatMap(([inner, content]) =>
          typeof content === "string" ? [] : [{ name: inner, digest: putFiles(content) }],
        ),
      });
      return put(toBinary(DirectorySchema, made));
    };
    const message = toBinary(
      ArtifactSchema,
      create(ArtifactSchema, {
        ...{ version: 2, buildSuccess: true, strongKey: key, files: putFiles(files) },
        logs: log === undefined ? [] : [{ name: log.name, digest: put(Buffer.from(log.text)) }],
      }),
    );
    put(message);
    await cache.blobs.writeMany([...blobs.values()], signal);
    await cache.blobs.flush();
    const content = digestOf(sha256, message);
    const [project = "", element = ""] = name.split("/");
    const artifact = { project, element, keys: [key], generation: "2.x", content, message } as const;
    await cache.index.publish(artifact, contentOfMessage(message, sha256), signal);
  }
}
