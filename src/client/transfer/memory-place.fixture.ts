import { create, toBinary } from "@bufbuild/protobuf";
import { type Digest, digestOf, isEmptyBlob, parseDigest, sameDigest } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import { StillageError } from "../../base/errors.ts";
import { type Folder, messageOf } from "../../cache/tree.fixture.ts";
import { DirectorySchema } from "../../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { ArtifactSchema } from "../../gen/buildstream/v2/artifact_pb.ts";
import type { Generation } from "../../store/artifact-refs.ts";
import type { ArtifactGlob, ArtifactIndex, IndexedArtifact } from "../artifact-index.ts";
import { maxSmallBytes } from "../blob-place.ts";
import type { BlobPlace, Place } from "../place.ts";

/** Calls of a place, for what goes wrong at one. */
export type PlaceCall = "missing" | "readMany" | "read" | "writeMany" | "write" | "flush" | "find" | "publish" | "list";

/** A place in memory, with all that it was asked. */
export interface MemoryPlace extends Place {
  readonly index: ArtifactIndex;
  readonly blobs: BlobPlace;
  readonly held: Map<string, Uint8Array>;
  /** By `PROJECT/ELEMENT/KEY`. */
  readonly names: Map<string, IndexedArtifact>;
  readonly calls: PlaceCall[];
  /** Hashes in the order in which they were written. */
  readonly written: string[];
  /** Asked before each call and, with a hash, before each blob that is given: what it throws, the call fails with. */
  trouble: (call: PlaceCall, hash?: string) => void;
}

export interface MemoryPlaceOptions {
  readonly name?: string;
  readonly near?: boolean;
  readonly generations?: readonly Generation[];
  readonly listable?: boolean;
}

/** Checks hashes and sizes as real places do. */
export function memoryPlace(options: MemoryPlaceOptions = {}): MemoryPlace {
  const { name = "memory", near = false, generations = ["2.x", "1.x"], listable = true } = options;
  const held = new Map<string, Uint8Array>();
  const names = new Map<string, IndexedArtifact>();
  const calls: PlaceCall[] = [];
  const written: string[] = [];
  const begin = (call: PlaceCall): void => {
    calls.push(call);
    place.trouble(call);
  };
  const has = (digest: Digest): boolean => isEmptyBlob(digest) || held.has(digest.hash);
  const keep = (digest: Digest, bytes: Uint8Array): void => {
    if (!sameDigest(digestOf(digest.function, bytes), digest)) {
      throw new StillageError("corrupt", `${name} got other bytes than those of ${digest.hash}`);
    }
    written.push(digest.hash);
    held.set(digest.hash, Uint8Array.from(bytes));
  };
  const given = (digest: Digest): Uint8Array | undefined => {
    place.trouble("read", digest.hash);
    const bytes = isEmptyBlob(digest) ? new Uint8Array() : held.get(digest.hash);
    if (bytes !== undefined && !sameDigest(digestOf(digest.function, bytes), digest)) {
      throw new StillageError("corrupt", `${name} has other bytes than those of ${digest.hash}`);
    }
    return bytes;
  };
  const place: MemoryPlace = {
    name,
    near,
    writable: true,
    held,
    names,
    calls,
    written,
    trouble: () => {},
    blobs: {
      async missing(digests) {
        begin("missing");
        const asked = new Map(digests.map((digest) => [digest.hash, digest]));
        return [...asked.values()].filter((digest) => !has(digest));
      },
      async readMany(digests, take, signal) {
        begin("readMany");
        const lacking: Digest[] = [];
        for (const digest of digests) {
          signal.throwIfAborted();
          if (digest.size > maxSmallBytes) throw new Error("a large blob is asked for as a small one");
          const bytes = given(digest);
          if (bytes === undefined) lacking.push(digest);
          else await take({ blobs: [{ digest, bytes: Uint8Array.from(bytes) }], memory: undefined });
        }
        return lacking;
      },
      async *read(digest, offset, signal) {
        begin("read");
        const bytes = held.get(digest.hash);
        if (bytes === undefined) throw new StillageError("not-found", `${name} has no ${digest.hash}`);
        const half = Math.ceil((bytes.length - offset) / 2);
        yield bytes.slice(offset, offset + half);
        signal.throwIfAborted();
        given(digest);
        yield bytes.slice(offset + half);
      },
      async writeMany(blobs, signal) {
        begin("writeMany");
        for (const { digest, bytes } of blobs) {
          signal.throwIfAborted();
          place.trouble("write", digest.hash);
          keep(digest, bytes);
        }
      },
      async write(digest, content, signal) {
        begin("write");
        const pieces: Uint8Array[] = [];
        for await (const piece of content(0)) pieces.push(piece);
        signal.throwIfAborted();
        place.trouble("write", digest.hash);
        keep(digest, Buffer.concat(pieces));
      },
      async flush() {
        begin("flush");
      },
    },
    index: {
      generations,
      async find({ project, element, keys, generation }) {
        begin("find");
        const found = keys.map((key) => names.get(`${project}/${element}/${key}`)).find((each) => each !== undefined);
        return generation !== undefined && found?.generation !== generation ? undefined : found;
      },
      async *list(globs: readonly ArtifactGlob[]) {
        begin("list");
        if (!listable) throw new StillageError("unsupported", `${name} cannot be listed`);
        for (const artifact of new Set(names.values())) {
          const { project, element } = artifact;
          if (globs.some((glob) => fits(glob.project, project) && fits(glob.element, element))) yield artifact;
        }
      },
      async publish(artifact) {
        begin("publish");
        const { project, element, keys, content } = artifact;
        const all = keys.map((key) => `${project}/${element}/${key}`);
        const there = all.every((each) => names.get(each)?.content.hash === content.hash);
        for (const each of all) names.set(each, artifact);
        return there ? "present" : "published";
      },
    },
    async [Symbol.asyncDispose]() {},
  };
  return place;
}

const fits = (glob: string, text: string): boolean => glob === "*" || glob === text;

export function hold(place: MemoryPlace, content: Uint8Array | string): Digest {
  const bytes = Buffer.from(content);
  const digest = digestOf(sha256, bytes);
  place.held.set(digest.hash, Uint8Array.from(bytes));
  return digest;
}

export function holdFolder(place: MemoryPlace, folder: Folder): Digest {
  const directory = create(DirectorySchema, {});
  for (const [name, entry] of Object.entries(folder).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const digest = messageOf(typeof entry === "string" ? hold(place, entry) : holdFolder(place, entry));
    const node = "build.bazel.remote.execution.v2";
    if (typeof entry === "string")
      directory.files.push({ $typeName: `${node}.FileNode`, name, digest, isExecutable: false });
    else directory.directories.push({ $typeName: `${node}.DirectoryNode`, name, digest });
  }
  return hold(place, toBinary(DirectorySchema, directory));
}

export interface HeldArtifact {
  readonly element?: string;
  readonly key?: string;
  readonly files: Folder;
  readonly buildtree?: Folder;
}

/** An artifact of BuildStream 2 that is whole at the place, and named there. */
export function holdArtifact(
  place: MemoryPlace,
  { element = "app", key = "a", files, buildtree }: HeldArtifact,
): IndexedArtifact {
  const strongKey = key.repeat(64 / key.length);
  const weakKey = strongKey.replace(/.$/, "0");
  const text = (what: string) => messageOf(hold(place, `${what} of ${element} ${key}\n`));
  const message = create(ArtifactSchema, {
    version: 2,
    buildSuccess: true,
    strongKey,
    weakKey,
    strictKey: strongKey,
    files: messageOf(holdFolder(place, files)),
    publicData: text("public data"),
    logs: [{ name: "build.log", digest: text("log") }],
    lowDiversityMeta: text("environment"),
    highDiversityMeta: text("variables"),
    ...(buildtree && { buildtree: messageOf(holdFolder(place, buildtree)) }),
  });
  const content = hold(place, toBinary(ArtifactSchema, message));
  const artifact: IndexedArtifact = {
    project: "harbour",
    element,
    keys: [strongKey, weakKey],
    generation: "2.x",
    content: parseDigest(content.hash, content.size),
    message: undefined,
  };
  for (const each of artifact.keys) place.names.set(`harbour/${element}/${each}`, artifact);
  return artifact;
}
