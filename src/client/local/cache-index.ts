import type { ArtifactContent, ArtifactKeys } from "../../artifact/artifact-content.ts";
import { contentOfDirectory } from "../../artifact/directory-content.ts";
import { type Digest, digestOf, sameDigest } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import { StillageError } from "../../base/errors.ts";
import { hashOf } from "../../base/hash.ts";
import { Slices } from "../../base/slices.ts";
import { maxProtoBytes } from "../../cache/artifact-needs.ts";
import type { ArtifactName, Generation } from "../../store/artifact-refs.ts";
import { globMatches } from "../../store/glob.ts";
import type { ArtifactGlob, ArtifactIndex, ArtifactQuestion, IndexedArtifact } from "../artifact-index.ts";
import { PlaceReader, wholeStream } from "../blob-reader.ts";
import type { BlobPlace } from "../place.ts";
import { checkSignal } from "./cache-failure.ts";
import { isCacheKey } from "./cache-layout.ts";
import { type ReadRef, readDirectoryRef, readMessageRef, writeDirectoryRef } from "./read-ref.ts";
import type { RefShelf } from "./ref-shelf.ts";

export interface CacheIndexParts {
  /** Of BuildStream 1.9x and 2. */
  readonly messages: RefShelf;
  /** Of BuildStream 1.1.4 to 1.6. */
  readonly directories: RefShelf;
  /** Gets the name of each message that is found: what was built here has it in the refs alone, until it is pushed. */
  readonly found: (content: Digest, name: ArtifactName) => void;
  /** Where messages and directories are read that came as blobs. */
  readonly blobs: BlobPlace;
}

/** The refs of one kind with what their bytes mean. */
interface RefKind {
  readonly refs: RefShelf;
  readonly read: (bytes: Uint8Array) => ReadRef | undefined;
}

/** What artifacts are called in BuildStream's own cache. A ref that cannot be read is as good as none. */
export class CacheIndex implements ArtifactIndex {
  readonly generations = ["2.x", "1.9x", "1.x"] as const;
  private readonly parts: CacheIndexParts;
  private readonly kinds: readonly RefKind[];

  constructor(parts: CacheIndexParts) {
    this.parts = parts;
    this.kinds = [
      { refs: parts.messages, read: readMessageRef },
      { refs: parts.directories, read: readDirectoryRef },
    ];
  }

  /** A use of the refs, as it is for the real program. */
  async find(question: ArtifactQuestion, signal: AbortSignal): Promise<IndexedArtifact | undefined> {
    checkSignal(signal);
    const { project, element, keys, generation } = question;
    for (const kind of this.kinds) {
      for (const key of keys) {
        const ref = this.read(kind, project, element, key);
        if (ref === undefined || (generation !== undefined && ref.generation !== generation)) continue;
        const found = this.artifactOf(kind, project, element, [key], ref);
        for (const each of found.keys) kind.refs.touch(project, element, each);
        return this.strongFirst(found, signal);
      }
    }
    return undefined;
  }

  async *list(globs: readonly ArtifactGlob[], signal: AbortSignal): AsyncGenerator<IndexedArtifact> {
    const slices = new Slices();
    for (const kind of this.kinds) {
      const seen = new Set<string>();
      for (const glob of globs) {
        for (const { project, element } of kind.refs.elements(glob)) {
          if (slices.over) await slices.rest();
          checkSignal(signal);
          for (const found of this.listElement(kind, { project, element, key: glob.key }, seen)) {
            yield await this.strongFirst(found, signal);
          }
        }
      }
    }
  }

  /** Behind `flush`: what is named then is on the disk, and so is the name. */
  async publish(
    artifact: IndexedArtifact,
    content: ArtifactContent,
    signal: AbortSignal,
  ): Promise<"published" | "present"> {
    checkSignal(signal);
    const { project, element } = artifact;
    const { refs, bytes } = await this.refOf(artifact, signal);
    // As the real program does after a pull: its plans ask for the artifact by each of them. A weak key may lead to a later one, and does so on.
    const { strong, strict, weak } = await this.keysOf(artifact, content, signal);
    const own = [strong, strict, weak].filter((key) => key !== undefined && isCacheKey(key)) as string[];
    const free = own.filter((key) => refs.read(project, element, key) === undefined);
    const keys = [...new Set([...artifact.keys, ...free])];
    const lacking = keys.filter((key) => !equal(refs.read(project, element, key), bytes));
    if (lacking.length === 0) return "present";
    await refs.write(project, element, lacking, bytes);
    return "published";
  }

  /** Removes every name of an artifact; its blobs are left for the real program to expire, as it does itself. Tells how many names there were. */
  async remove({ project, element, generation, content }: IndexedArtifact): Promise<number> {
    const kind = this.kinds.find(({ refs }) => refs === this.refsOf(generation));
    const keys = kind === undefined ? [] : this.sameContent(kind, project, element, content);
    return keys.filter((key) => kind?.refs.remove(project, element, key)).length;
  }

  private *listElement(kind: RefKind, glob: ArtifactGlob, seen: Set<string>): Generator<IndexedArtifact> {
    const { project, element } = glob;
    const found = new Map<string, { ref: ReadRef; keys: string[] }>();
    const matching = isCacheKey(glob.key) ? [glob.key] : kind.refs.keys(project, element);
    for (const key of matching) {
      if (!globMatches(`${glob.key}*`, key)) continue;
      const bytes = kind.refs.read(project, element, key);
      if (bytes === undefined) continue;
      const same = hashOf(sha256, bytes);
      const known = found.get(same);
      const ref = known?.ref ?? kind.read(bytes);
      if (known !== undefined) known.keys.push(key);
      else if (ref !== undefined) found.set(same, { ref, keys: [key] });
    }
    for (const { ref, keys } of found.values()) {
      const name = `${project}/${element}/${ref.content.hash}`;
      if (seen.has(name)) continue;
      seen.add(name);
      yield this.artifactOf(kind, project, element, keys, ref);
    }
  }

  /** `known`: keys that are known to lead to it. */
  private artifactOf(
    kind: RefKind,
    project: string,
    element: string,
    known: readonly string[],
    ref: ReadRef,
  ): IndexedArtifact {
    const { generation, content, message } = ref;
    const isSame = (key: string): boolean => {
      const other = this.read(kind, project, element, key);
      return other !== undefined && sameDigest(other.content, content);
    };
    const keys =
      ref.keys === undefined
        ? this.sameContent(kind, project, element, content)
        : ref.keys.filter((key) => known.includes(key) || isSame(key));
    if (message !== undefined) this.parts.found(content, { project, element, key: known[0] as string });
    const times = kind.refs.timesOf(project, element, known[0] as string);
    const record = times && { pushed: times.written, used: times.used };
    return { project, element, keys: [...new Set([...keys, ...known])], generation, content, message, record };
  }

  /** The refs of a Directory do not tell which key is which: a file in it does, where it is there. */
  private async strongFirst(artifact: IndexedArtifact, signal: AbortSignal): Promise<IndexedArtifact> {
    const { generation, content, keys } = artifact;
    if (generation !== "1.x" || keys.length < 2) return artifact;
    const strong = await contentOfDirectory(new PlaceReader(this.parts.blobs, signal), content).then(
      (told) => told.keys.strong,
      () => signal.throwIfAborted(), // damaged: it is listed all the same
    );
    if (!strong || !keys.includes(strong)) return artifact;
    return { ...artifact, keys: [strong, ...keys.filter((key) => key !== strong)] };
  }

  private sameContent(kind: RefKind, project: string, element: string, content: Digest): string[] {
    return kind.refs.keys(project, element).filter((key) => {
      const ref = this.read(kind, project, element, key);
      return ref !== undefined && sameDigest(ref.content, content);
    });
  }

  private read({ refs, read }: RefKind, project: string, element: string, key: string): ReadRef | undefined {
    const bytes = refs.read(project, element, key);
    return bytes && read(bytes);
  }

  /** What stands in an artifact's refs. */
  private async refOf(
    { generation, content, message }: IndexedArtifact,
    signal: AbortSignal,
  ): Promise<{ refs: RefShelf; bytes: Uint8Array }> {
    const refs = this.refsOf(generation);
    if (refs === this.parts.directories) return { refs, bytes: writeDirectoryRef(content) };
    const isLarge = content.size > maxProtoBytes;
    const bytes = message ?? (isLarge ? undefined : await wholeStream(this.parts.blobs, content, signal));
    if (bytes === undefined || !sameDigest(digestOf(sha256, bytes), content)) {
      throw new StillageError(
        "failed-precondition",
        `the message of the artifact is not ${content.hash}, which names it`,
      );
    }
    return { refs, bytes };
  }

  /** What an artifact says of its keys: a Directory in a file of its own, which not everybody reads who copies one. */
  private async keysOf(
    artifact: IndexedArtifact,
    { keys }: ArtifactContent,
    signal: AbortSignal,
  ): Promise<ArtifactKeys> {
    if (artifact.generation !== "1.x" || keys.strong !== undefined) return keys;
    return (await contentOfDirectory(new PlaceReader(this.parts.blobs, signal), artifact.content)).keys;
  }

  /** Errors: `unsupported`. */
  private refsOf(generation: Generation): RefShelf {
    if (generation === "1.x") return this.parts.directories;
    if (generation !== "1.0") return this.parts.messages;
    throw new StillageError(
      "unsupported",
      "artifacts of BuildStream 1.0 are commits, which the cache of no later release has",
    );
  }
}

function equal(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && Buffer.compare(a, b) === 0;
}
