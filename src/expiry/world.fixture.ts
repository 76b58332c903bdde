import { create, toBinary } from "@bufbuild/protobuf";
import { type Digest, digestOf } from "../base/digest.ts";
import { sha256 } from "../base/digest-function.ts";
import { ActionCache } from "../cache/action-cache.ts";
import { AssetIndex } from "../cache/asset-index.ts";
import { Closure } from "../cache/closure.ts";
import { putCommitOf } from "../cache/commit-tree.fixture.ts";
import { MessageIndex } from "../cache/message-index.ts";
import { messageOf, putBlob, putDirectory, putTree } from "../cache/tree.fixture.ts";
import { ActionResultSchema } from "../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { ArtifactSchema } from "../gen/buildstream/v2/artifact_pb.ts";
import { SourceSchema } from "../gen/buildstream/v2/source_pb.ts";
import type { StoreCensus } from "../store/blob-census.ts";
import { MemoryRefStore } from "../store/memory/memory-ref-store.ts";
import { MemoryStore } from "../store/memory/memory-store.ts";
import type { ListedRef } from "../store/ref-admin.ts";
import type { Root } from "../store/ref-store.ts";
import type { ExpirySettings } from "./limits.ts";
import type { SweepReport } from "./report.ts";
import { StoppableSlices } from "./slices.ts";
import { type SweepPoint, sweep } from "./sweep.ts";
import { SweepClock } from "./sweep-clock.ts";

export const hour = 3_600_000;
export const noLimits: ExpirySettings = { lease: 4 * hour, maxAge: undefined, limits: [] };

/** A store in memory of one instance without a name, at a time that tests set, and everything that puts refs into it. */
export class World {
  /** Milliseconds since 1970, by a clock that is right. */
  now = 1_000_000 * hour;
  readonly blobs = new MemoryStore({ clock: () => this.now });
  readonly refs = new MemoryRefStore(() => this.now);
  /** What goes wrong in sweeps: thrown before a blob is read, or some are removed. */
  faults: { readonly read?: (digest: Digest) => void; readonly remove?: () => void } = {};
  /** Sweeps that came to compaction. */
  compactions = 0;
  private clock = this.newClock();
  private readonly closure = new Closure(this.blobs, () => this.blobs.removals(), { monotonic: () => this.now });
  private readonly parts = {
    instance: "",
    refs: this.refs,
    blobs: this.blobs,
    closure: undefined,
    clock: (): number => this.now,
  };
  readonly assets = new AssetIndex(this.parts);
  readonly messages = new MessageIndex(this.parts);
  readonly actions = new ActionCache({ ...this.parts, closure: this.closure });

  /** `leave`: how many bytes a sweep has to leave at most; left out: there is room. */
  async sweep(
    settings: Partial<ExpirySettings> = {},
    leave?: number,
    reach: (point: SweepPoint) => void = () => {},
  ): Promise<SweepReport> {
    const all = { ...noLimits, ...settings };
    const { signal } = new AbortController();
    const blobs = {
      census: () => this.faultyCensus(),
      usage: () => ({ bytes: this.blobs.usage().bytes, reclaimable: 0 }),
      compact: async () => void this.compactions++,
    };
    const [slices, clock] = [new StoppableSlices(signal), this.clock];
    return sweep({ blobs, refs: this.refs, settings: all, leave, clock, slices, signal, reach });
  }

  /** Lets a new process have the store. */
  restart(): void {
    this.clock = this.newClock();
  }

  /** The names of all refs, the most recently used first. */
  list(): ListedRef[] {
    return [...this.refs.list({})].sort((a, b) => b.used - a.used);
  }

  has(content: string): boolean {
    const digest = digestOf(sha256, Buffer.from(content));
    return this.census().some((each) => each.hash === digest.hash);
  }

  /** The digests of all blobs. */
  census(): Digest[] {
    const found: Digest[] = [];
    for (const { shelves } of this.blobs.census().tenants) {
      for (const shelf of shelves) for (let n = 0; n < shelf.top; n++) if (shelf.has(n)) found.push(shelf.digest(n));
    }
    return found;
  }

  async pushBlob(uri: string, digest: Digest, references: readonly Root[] = [], expires?: number): Promise<void> {
    const key = { kind: "blob", uris: [uri], qualifiers: [] } as const;
    await this.assets.store({ ...key, digest, references, expires, message: Buffer.from(uri) });
  }

  async pushDirectory(uri: string, digest: Digest): Promise<void> {
    const key = { kind: "directory", uris: [uri], qualifiers: [] } as const;
    await this.assets.store({ ...key, digest, references: [], expires: undefined, message: Buffer.from(uri) });
  }

  /** An artifact as BuildStream 2 pushes it: its references name every tree of its message. Contents begin with `text`. */
  async pushArtifact(key: string, text: string): Promise<void> {
    const message = await this.newArtifact(text);
    const digest = await putBlob(this.blobs, message);
    await this.pushBlob(`urn:fdc:buildstream.build:2020:artifact:project/element/${key}`, digest);
  }

  /** An artifact as BuildStream 1.91 to 1.93 puts it into the index. */
  async pushOldMessage(key: string, text: string): Promise<void> {
    await this.messages.store("artifact", `project/element/${key}`, await this.newArtifact(text));
  }

  async pushSource(key: string, text: string): Promise<void> {
    const files = messageOf(await putDirectory(this.blobs, { src: { [text]: text } }));
    const digest = await putBlob(this.blobs, toBinary(SourceSchema, create(SourceSchema, { version: 1, files })));
    await this.pushBlob(`urn:fdc:buildstream.build:2020:source:${key}`, digest);
  }

  /** A commit of OSTree, as BuildStream 1.0 pushes it. */
  async pushCommit(key: string, text: string): Promise<void> {
    const folder = { [text]: text, deep: { file: `${text} below` }, shared: { same: "same" } };
    const digest = await putCommitOf(this.blobs, folder, key);
    const name = `project/element/${key}`;
    const named = { space: "ostree", instance: "", name, message: Buffer.from(key) } as const;
    await this.refs.put([{ ...named, roots: [{ walk: "commit", digest }], stored: this.now, expires: undefined }]);
  }

  /** A result with a file, a Tree, a root directory, and what it printed. */
  async pushResult(key: string, text: string): Promise<void> {
    const digest = messageOf(await putBlob(this.blobs, `${text} out`));
    const treeDigest = messageOf(await putTree(this.blobs, { deep: { file: `${text} in tree` } }));
    const rootDirectoryDigest = messageOf(await putDirectory(this.blobs, { deep: { file: `${text} in directory` } }));
    const stdoutDigest = messageOf(await putBlob(this.blobs, `${text} printed`));
    const result = create(ActionResultSchema, {
      outputFiles: [{ path: "out", digest }],
      outputDirectories: [{ path: "tree", treeDigest, rootDirectoryDigest }],
      stdoutDigest,
    });
    await this.actions.update(digestOf(sha256, Buffer.from(key)), toBinary(ActionResultSchema, result));
  }

  private faultyCensus(): StoreCensus {
    const { tenants, ...census } = this.blobs.census();
    const read = (digest: Digest): void => this.faults.read?.(digest);
    return {
      ...census,
      tenants: tenants.map(({ reader, shelves, ...tenant }) => ({
        ...tenant,
        reader: {
          missing: (digests) => reader.missing(digests),
          sizeOf: (fn, hash) => reader.sizeOf(fn, hash),
          sizesOf: (hashes) => reader.sizesOf(hashes),
          open: (digest) => {
            read(digest);
            return reader.open(digest);
          },
          readBatch: (digests) => {
            for (let i = 0; i < digests.length; i++) read(digests.at(i));
            return reader.readBatch(digests);
          },
        },
        shelves: shelves.map((shelf) => {
          const remove = shelf.remove.bind(shelf);
          shelf.remove = async (numbers, usedBefore) => {
            this.faults.remove?.();
            return remove(numbers, usedBefore);
          };
          return shelf;
        }),
      })),
    };
  }

  private newClock(): SweepClock {
    return new SweepClock({ wall: () => this.now, monotonic: () => this.now, leaseMs: noLimits.lease });
  }

  private async newArtifact(text: string): Promise<Uint8Array> {
    const tree = async (name: string): Promise<ReturnType<typeof messageOf>> =>
      messageOf(await putDirectory(this.blobs, { a: { [name]: `${text} ${name}` }, b: `${text} ${name}` }));
    const blob = async (name: string): Promise<ReturnType<typeof messageOf>> =>
      messageOf(await putBlob(this.blobs, `${text} ${name}`));
    const artifact = create(ArtifactSchema, {
      version: 2,
      files: await tree("files"),
      buildtree: await tree("buildtree"),
      sources: await tree("sources"),
      buildroot: await tree("buildroot"),
      publicData: await blob("public"),
      lowDiversityMeta: await blob("low"),
      highDiversityMeta: await blob("high"),
      logs: [{ name: "log", digest: await blob("log") }],
    });
    return toBinary(ArtifactSchema, artifact);
  }
}
