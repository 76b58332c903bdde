import type { ArtifactContent, LogFile, TreeName } from "../../artifact/artifact-content.ts";
import { type ArtifactReport, reportOf } from "../../artifact/artifact-report.ts";
import { knownNode } from "../../artifact/commit-entries.ts";
import { formatOf } from "../../artifact/tree-format.ts";
import { listTree, resolvePath, type TreeEntry } from "../../artifact/tree-listing.ts";
import { StillageError } from "../../base/errors.ts";
import type { Generation } from "../../store/artifact-refs.ts";
import type { ArtifactRecord, IndexedArtifact } from "../artifact-index.ts";
import { Callbacks } from "../callbacks.ts";
import { shownArtifact } from "../meant-artifacts.ts";
import type { FileEntry } from "../reading/file-contents.ts";
import { knownArtifact } from "../reading/known-artifact.ts";
import { logPieces } from "../reading/log-pieces.ts";
import { type OpenArtifact, treeOf } from "../reading/open-artifact.ts";
import { treeEntries } from "../reading/tree-entries.ts";
import { treeTotals } from "../reading/tree-paths.ts";
import { stoppable, stoppableItems } from "./cancellation.ts";

/** Which tree of an artifact is meant: `files`, its output, unless it is given. */
export interface TreeOptions {
  readonly tree?: TreeName | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface CheckoutOptions extends TreeOptions {
  /** Writes to a directory that is not empty: what is in it stays, but for what has the name of something that comes. */
  readonly force?: boolean | undefined;
  /** Called as files are written: how many of how many, and their bytes. */
  readonly onProgress?:
    | ((
        done: { readonly files: number; readonly bytes: number },
        all: { readonly files: number; readonly bytes: number },
      ) => void)
    | undefined;
}

/** @internal How an artifact is opened for one call; `signal` is that of all that is read. */
export type OpenForCall = (signal: AbortSignal) => Promise<OpenArtifact>;

/**
 * An artifact that was found. Nothing of it is fetched before it is asked for, and then no more than is needed: a file costs the directories on the way to it and its own bytes.
 * What the local cache has is read there, the rest from servers. It can be read as long as its client is open.
 *
 * Errors of all methods: `not-found` where a part is nowhere, `invalid` and `corrupt` for what is no artifact, `unavailable` and `deadline` for servers, `cancelled` for the signal.
 */
export class FoundArtifact {
  readonly project: string;
  /** As it is stored: `sub-deep_plus` for `sub/deep+plus.bst`. */
  readonly element: string;
  /** At least one; the strong one first. */
  readonly keys: readonly string[];
  readonly generation: Generation;
  /** What the place where it was found has noted of it. */
  readonly record: ArtifactRecord | undefined;
  /** The name of that place. */
  readonly place: string;
  private readonly artifact: IndexedArtifact;
  private readonly openForCall: OpenForCall;
  private readonly combined: (own: AbortSignal | undefined) => AbortSignal;

  /** @internal Made by `StillageClient.find`. */
  constructor(
    artifact: IndexedArtifact,
    place: string,
    { open, signal }: { open: OpenForCall; signal: (own: AbortSignal | undefined) => AbortSignal },
  ) {
    const { project, element, keys, generation, record } = artifact;
    [this.project, this.element, this.keys, this.generation] = [project, element, keys, generation];
    this.record = record;
    this.place = place;
    this.artifact = artifact;
    this.openForCall = open;
    this.combined = signal;
  }

  /** `PROJECT/ELEMENT/KEY`. */
  get name(): string {
    return shownArtifact(this.artifact);
  }

  /** What it says of itself: keys, outcome of the build, dependencies, which trees and logs there are. */
  content({ signal }: { signal?: AbortSignal | undefined } = {}): Promise<ArtifactContent> {
    return this.call(signal, "reading", (open) => open.content());
  }

  /** The same with its size, its public data, and what of it is missing: all its directories are read, and no files. */
  report({ signal }: { signal?: AbortSignal | undefined } = {}): Promise<ArtifactReport> {
    return this.call(signal, "reading", async (open) => {
      const options = { blobs: open.reader, complete: "to be found out", known: undefined } as const;
      return reportOf(knownArtifact(this.artifact), await open.content(), options);
    });
  }

  /** All entries of a tree with their paths, in the order of those; each directory before what is in it. Nothing where it has no such tree. */
  entries({ tree = "files", signal }: TreeOptions = {}): AsyncGenerator<TreeEntry, void> {
    const all = this.combined(signal);
    return stoppableItems(all, `reading ${this.name}`, () => this.entriesOf(tree, all));
  }

  /** The entries of one directory, of the root for an empty path. Errors: also `not-found` for a path that is not there. */
  directory(path: string, { tree = "files", signal }: TreeOptions = {}): AsyncGenerator<TreeEntry, void> {
    const all = this.combined(signal);
    return stoppableItems(all, `reading ${this.name}`, () => this.entriesIn(path, tree, all));
  }

  /**
   * One file by its path, a piece at a time. What is not what its digest says fails with `corrupt`, at its end where it is large. Links are not followed. Errors: also `not-found` for a path that is
   * not there, `invalid` for what is no file.
   */
  read(path: string, { tree = "files", signal }: TreeOptions = {}): AsyncGenerator<Uint8Array, void> {
    const all = this.combined(signal);
    return stoppableItems(all, `reading ${path} of ${this.name}`, () => this.piecesOfFile(path, tree, all));
  }

  /** A log, a piece at a time: the one of a name, or the first. Errors: also `not-found` where it has none. */
  log({
    name,
    signal,
  }: {
    name?: string | undefined;
    signal?: AbortSignal | undefined;
  } = {}): AsyncGenerator<Uint8Array, void> {
    const all = this.combined(signal);
    return stoppableItems(all, `reading the log of ${this.name}`, () => this.piecesOfLog(name, all));
  }

  /**
   * Writes a tree to a directory that is empty or not there; it appears when all is in it. A crash leaves nothing under its name, and at most a hidden directory beside it. Errors: also
   * `exists` for a directory that is not empty, `exhausted` for a full disk; what `onProgress` throws.
   */
  checkout(
    directory: string,
    { tree: name = "files", force = false, onProgress, signal }: CheckoutOptions = {},
  ): Promise<void> {
    const callbacks = new Callbacks();
    const tell = callbacks.safe(onProgress);
    const work = async (open: OpenArtifact, all: AbortSignal): Promise<void> => {
      const { checkoutDirectory } = await import("../checkout/checkout-directory.ts");
      const tree = await treeOf(open, name, all);
      const { files, bytes } = treeTotals(tree);
      const done = { files: 0, bytes: 0 };
      await checkoutDirectory(directory, tree, open.files, {
        force,
        signal: all,
        onProgress(more, moreBytes) {
          done.files += more;
          done.bytes += moreBytes;
          tell({ ...done }, { files, bytes });
        },
      });
    };
    const own = signal === undefined ? callbacks.signal : AbortSignal.any([signal, callbacks.signal]);
    return callbacks.during(() => this.call(own, "checking out", work));
  }

  /** The tar archive of a tree, a piece at a time: the bytes that `bst artifact checkout --tar` writes. */
  tar({ tree: name = "files", signal }: TreeOptions = {}): AsyncGenerator<Uint8Array, void> {
    const all = this.combined(signal);
    return stoppableItems(all, `packing ${this.name}`, () => this.piecesOfTar(name, all));
  }

  /** @internal As the functions of the client take it. */
  open(signal: AbortSignal): Promise<OpenArtifact> {
    return this.openForCall(signal);
  }

  private async *entriesOf(tree: TreeName, signal: AbortSignal): AsyncGenerator<TreeEntry, void> {
    for await (const page of treeEntries(await this.openForCall(signal), tree, signal)) yield* page;
  }

  private async *entriesIn(path: string, tree: TreeName, signal: AbortSignal): AsyncGenerator<TreeEntry, void> {
    const open = await this.openForCall(signal);
    const root = await this.rootOf(open, tree);
    let cursor: string | undefined;
    do {
      const query = { path, recursive: false, limit: 1000, cursor };
      const page = await listTree(open.reader, root, query, formatOf(this.generation));
      yield* page.items;
      cursor = page.next;
    } while (cursor !== undefined);
  }

  private async *piecesOfFile(path: string, tree: TreeName, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
    const open = await this.openForCall(signal);
    const root = await this.rootOf(open, tree);
    const node = await resolvePath(open.reader, root, path, formatOf(this.generation));
    const known = node.type === "object" ? await knownNode(open.reader, node) : node;
    if (known === undefined) throw new StillageError("not-found", `the content of ${path} is missing`);
    if (known.type !== "file") throw new StillageError("invalid", `${path} is a ${known.type}, and no file`);
    yield* open.files.read(known as FileEntry, signal);
  }

  private async *piecesOfLog(name: string | undefined, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
    const open = await this.openForCall(signal);
    const { logs } = await open.content();
    const log: LogFile | undefined = logs.find((each) => name === undefined || each.name === name);
    if (log === undefined) {
      throw new StillageError(
        "not-found",
        `${this.name} has no log${name === undefined ? "" : ` ${JSON.stringify(name)}`}`,
        {
          hint: logs.length === 0 ? "it has none" : `it has ${logs.map((each) => each.name).join(", ")}`,
        },
      );
    }
    yield* logPieces(open, log, signal);
  }

  private async *piecesOfTar(name: TreeName, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
    const { tarOfTree } = await import("../checkout/tree-tar.ts");
    const open = await this.openForCall(signal);
    yield* tarOfTree(await treeOf(open, name, signal), open.files, { signal });
  }

  private call<T>(
    signal: AbortSignal | undefined,
    doing: string,
    work: (open: OpenArtifact, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const all = this.combined(signal);
    return stoppable(all, `${doing} ${this.name}`, async () => work(await this.openForCall(all), all));
  }

  private async rootOf(open: OpenArtifact, tree: TreeName) {
    const root = (await open.content()).trees[tree];
    if (root !== undefined) return root;
    throw new StillageError("not-found", `${this.name} has no ${tree}`);
  }
}
