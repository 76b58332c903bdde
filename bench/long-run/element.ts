import { createHash } from "node:crypto";
import { ArtifactSchema } from "../../src/gen/buildstream/v2/artifact_pb.ts";
import { blobOf, messageBlob, type TestBlob } from "../../test/conformance/support/blobs.ts";
import { directoryOf } from "../../test/conformance/support/directories.ts";

/** What the build of one version of an element gives: the same each time. */
export interface Build {
  /** The URIs that BuildStream pushes it under: the strong key, then the weak one. */
  readonly uris: readonly string[];
  readonly artifact: TestBlob;
  /** Everything that the artifact needs, itself included. */
  readonly blobs: readonly TestBlob[];
}

const project = "long-run";

/** Directories of an artifact, and files of each: some have the bytes of a library. */
const directories = 5;
const filesInDirectory = 12;
const maxFileBytes = 200_000;

/** Every so many elements have a large file, as images of systems do. */
const largeEvery = 20;
const largeFileBytes = 6 << 20;

/** Files that change with each version; the others stay the same for all versions of the element, as headers and licences do. */
const changingShare = 0.6;

const keyOf = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Builds a version of an element. */
export function build(element: number, version: number): Build {
  const blobs: TestBlob[] = [];
  const add = (blob: TestBlob): TestBlob => {
    blobs.push(blob);
    return blob;
  };
  const parts = Array.from({ length: directories }, (_, d) => {
    const files = Array.from({ length: filesInDirectory }, (_, f) => {
      const stays = fraction(`${element} ${d} ${f} stays`) > changingShare;
      return add(content(`${element} ${stays ? "all" : version} ${d} ${f}`, maxFileBytes));
    });
    return add(directoryOf({ files }));
  });
  const large = element % largeEvery === 0 ? [add(bytesOf(`${element} ${version} image`, largeFileBytes))] : [];
  const root = add(directoryOf({ files: large, directories: parts }));
  const log = add(content(`${element} ${version} log`, 20_000));
  const data = add(content(`${element} data`, 300));
  const strong = keyOf(`strong ${element} ${version}`);
  const artifact = add(
    messageBlob(ArtifactSchema, {
      version: 1,
      buildSuccess: true,
      strongKey: strong,
      weakKey: keyOf(`weak ${element} ${version}`),
      files: root.digest,
      publicData: data.digest,
      lowDiversityMeta: data.digest,
      highDiversityMeta: log.digest,
      logs: [{ name: "build.log", digest: log.digest }],
    }),
  );
  return { uris: urisOf(element, version), artifact, blobs };
}

export function urisOf(element: number, version: number): string[] {
  const keys = ["strong", "weak"].map((kind) => keyOf(`${kind} ${element} ${version}`));
  return keys.map((key) => `urn:fdc:buildstream.build:2020:artifact:${project}/element-${element}/${key}`);
}

/** A blob whose size, mostly small, its name decides. */
function content(name: string, most: number): TestBlob {
  return bytesOf(name, 100 + Math.floor(fraction(`${name} size`) ** 3 * most));
}

function bytesOf(name: string, size: number): TestBlob {
  const seed = createHash("sha256").update(name).digest();
  return blobOf(Buffer.alloc(size, seed));
}

/** From 0 to 1, the same for the same name. */
function fraction(name: string): number {
  return createHash("sha256").update(name).digest().readUInt32BE(0) / 2 ** 32;
}
