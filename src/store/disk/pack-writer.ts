import type { Digest } from "../../base/digest.ts";
import { DigestList } from "../../base/digest-list.ts";
import { fromFileSystem } from "../../base/errors.ts";
import { entryLength, maxHeadLength, writeHead } from "../batch-entry.ts";
import { ActivePack } from "./active-pack.ts";
import type { DigestIndex } from "./digest-index.ts";
import { checkOpen, type DiskContext } from "./disk-context.ts";
import { openFile } from "./file-io.ts";
import { present, recordWords } from "./index-format.ts";
import { packBytes } from "./pack.ts";
import type { Packs } from "./packs.ts";

/** Bytes of one write, about: the next group gathers meanwhile, and an answer waits for one sync of this much. */
const groupBytes = 16 << 20;

/** What one writev takes is 1,024 pieces. */
const maxPieces = 1000;

/** A body of this size is copied beside its head: that costs less than a piece of its own. */
const copiedBytes = 2048;

/** Blobs that wait to be written. */
interface Group {
  readonly digests: DigestList;
  readonly bodies: Uint8Array[];
  readonly waiters: { resolve: () => void; reject: (error: unknown) => void }[];
}

/** Appends small blobs to packs: whatever waits is written at once and made durable by one sync. */
export class PackWriter {
  private readonly packs: Packs;
  private readonly index: DigestIndex;
  private readonly context: DiskContext;
  private waiting: Group;
  private running: Promise<void> | undefined;
  private current: ActivePack | undefined;

  constructor(packs: Packs, index: DigestIndex, context: DiskContext) {
    this.packs = packs;
    this.index = index;
    this.context = context;
    this.waiting = this.emptyGroup();
  }

  /** Stores a blob that has been verified and is not there. Resolves once it is durable and indexed. Errors: `exhausted`. */
  async put(digest: Digest, bytes: Uint8Array): Promise<void> {
    checkOpen(this.context);
    const room = this.room(bytes.length);
    this.context.space.take(room);
    try {
      await new Promise<void>((resolve, reject) => {
        this.waiting.digests.push(digest);
        this.waiting.bodies.push(bytes);
        this.waiting.waiters.push({ resolve, reject });
        this.running ??= this.run();
      });
    } catch (error) {
      this.context.space.giveBack(room);
      throw error;
    }
  }

  /** Waits for what is being written and completes the index file. */
  async close(): Promise<void> {
    await this.running;
    await this.retire();
  }

  private async run(): Promise<void> {
    await null; // whoever puts several at once shall find them in one group
    while (this.waiting.bodies.length > 0) {
      const group = this.waiting;
      this.waiting = this.emptyGroup();
      for (let from = 0; from < group.bodies.length; ) from = await this.commit(group, from);
    }
    this.running = undefined;
  }

  /**
   * Writes as much of a group from `from` on as goes into one write, and returns where the rest begins.
   * A crash before the sync leaves whole records, which the next start finds by their hashes and keeps, and one torn, which it cuts off;
   * after the sync, the same with all of them whole. Nobody is told of a blob before that.
   */
  private async commit(group: Group, from: number): Promise<number> {
    const { context, index } = this;
    const heads = context.heads.take();
    const { pieces, to, bytes } = layOut(group, from, heads);
    try {
      const active = await this.active();
      const { pack } = active;
      await active.append(pieces);
      const used = context.now();
      const { digests } = group;
      for (let i = from; i < to; i++) {
        const size = digests.sizes[i] as number;
        const word = i * digests.function.words;
        const offset = pack.end;
        index.insert(digests.words, word, size, pack.slot, offset, used);
        pack.end += entryLength(digests.function, size);
        active.list({ kind: present, words: digests.words, word, offset, size, used }, pack.end);
      }
      pack.live += bytes;
      for (let i = from; i < to; i++) group.waiters[i]?.resolve();
    } catch (error) {
      const refusal = fromFileSystem(error, "cannot store blobs");
      context.log.error({ error, blobs: to - from }, refusal.message);
      for (let i = from; i < to; i++) group.waiters[i]?.reject(refusal);
      if (this.current?.pack.appendable === false) await this.retire();
    } finally {
      context.heads.give(heads);
    }
    await this.current?.writeList();
    return to;
  }

  /** The pack to append to. */
  private async active(): Promise<ActivePack> {
    if (this.current !== undefined && this.current.pack.end >= packBytes) await this.retire();
    if (this.current === undefined) {
      const last = this.packs.bySlot.at(-1);
      const reopened = last?.appendable && last.end < packBytes;
      const { pack, fd } = reopened ? { pack: last, fd: await openFile(last.path, "r+") } : await this.packs.create();
      this.current = new ActivePack(pack, fd, this.context);
    }
    return this.current;
  }

  private async retire(): Promise<void> {
    const { current } = this;
    this.current = undefined;
    await current?.close();
  }

  /** What a blob takes on the disk. */
  private room(size: number): number {
    return entryLength(this.index.function, size) + recordWords(this.index.function) * 4;
  }

  private emptyGroup(): Group {
    return { digests: new DigestList(this.index.function), bodies: [], waiters: [] };
  }
}

/** The records of a group from `from` on as pieces to be written one after the other: `to` is where the rest begins. */
function layOut(group: Group, from: number, heads: Uint8Array): { pieces: Uint8Array[]; to: number; bytes: number } {
  const { digests, bodies } = group;
  const fn = digests.function;
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  let at = 0; // in heads; what lies before it from `first` on is not among the pieces yet
  let first = 0;
  let to = from;
  for (; to < bodies.length; to++) {
    const body = bodies[to] as Uint8Array;
    const copied = body.length <= copiedBytes;
    const needed = maxHeadLength + (copied ? body.length : 0);
    const full = at + needed > heads.length || pieces.length + 3 > maxPieces || bytes + body.length > groupBytes;
    if (full && to > from) break;
    at = writeHead(heads, at, fn, digests.words, to * fn.words, body.length);
    bytes += entryLength(fn, body.length);
    if (copied) {
      heads.set(body, at);
      at += body.length;
    } else {
      pieces.push(heads.subarray(first, at), body);
      first = at;
    }
  }
  if (at > first) pieces.push(heads.subarray(first, at));
  return { pieces, to, bytes };
}
