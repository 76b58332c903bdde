import type { Digest } from "../../base/digest.ts";
import { DigestList } from "../../base/digest-list.ts";
import { fromFileSystem } from "../../base/errors.ts";
import { entryLength, maxHeadLength, writeHead } from "../batch-entry.ts";
import { ActivePack } from "./active-pack.ts";
import { packedRoom } from "./blob-room.ts";
import type { DigestIndex } from "./digest-index.ts";
import { checkOpen, type DiskContext } from "./disk-context.ts";
import { present } from "./index-format.ts";
import { packBytes } from "./pack.ts";
import type { Packs } from "./packs.ts";

/** What is laid out for one write: the next group gathers meanwhile, and an answer waits for one sync of this much. */
export const stagingBytes = 4 << 20;

/** Blobs that wait to be written. */
interface Group {
  readonly digests: DigestList;
  readonly bodies: Uint8Array[];
  readonly waiters: { resolve: () => void; reject: (error: unknown) => void }[];
}

/** Blobs of a group that go into one write. */
interface Part {
  readonly group: Group;
  readonly from: number;
  readonly to: number;
}

/** Appends small blobs to packs: whatever waits is written at once and made durable by one sync. */
export class PackWriter {
  private readonly packs: Packs;
  private readonly index: DigestIndex;
  private readonly context: DiskContext;
  private waiting: Group;
  private running: Promise<void> | undefined;
  private publishing: Promise<void> | undefined;
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
    const room = packedRoom(digest.function, bytes.length);
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
      for (let from = 0; from < group.bodies.length; ) from = await this.write(group, from);
    }
    this.running = undefined;
  }

  /**
   * Writes as much of a group from `from` on as goes into one write, and returns where the rest begins. It is published once a sync has
   * ended that began after the write; the next group is written meanwhile.
   * A crash before that leaves whole records, which the next start finds by their hashes and keeps, and one torn, which it cuts off;
   * after it, the same with all of them whole. Nobody is told of a blob before that.
   */
  private async write(group: Group, from: number): Promise<number> {
    const { staging } = this.context;
    const buffer = staging.take();
    let part = { group, from, to: group.bodies.length };
    try {
      const active = await this.active();
      const start = active.startInBuffer;
      const { to, end } = layOut(group, from, buffer, start);
      part = { group, from, to };
      const position = await active.append(buffer, start, end);
      this.publishing = this.publish(active, part, position);
    } catch (error) {
      this.refuse(part, error);
    } finally {
      staging.give(buffer);
    }
    await this.current?.writeList();
    return part.to;
  }

  /** Makes blobs of the records that were written at `position`. Never rejects. */
  private async publish(active: ActivePack, part: Part, position: number): Promise<void> {
    try {
      await active.synced();
    } catch (error) {
      return this.refuse(part, error);
    }
    const { index } = this;
    const { pack } = active;
    const { digests, waiters } = part.group;
    const used = this.context.now();
    let offset = position;
    for (let i = part.from; i < part.to; i++) {
      const size = digests.sizes[i] as number;
      const word = i * digests.function.words;
      index.insert(digests.words, word, size, pack.slot, offset, used);
      const end = offset + entryLength(digests.function, size);
      active.list({ kind: present, words: digests.words, word, offset, size, used }, end);
      offset = end;
    }
    pack.live += offset - position;
    pack.end = offset;
    for (let i = part.from; i < part.to; i++) waiters[i]?.resolve();
  }

  private refuse({ group, from, to }: Part, error: unknown): void {
    const refusal = fromFileSystem(error, "cannot store blobs");
    this.context.log.error({ error, blobs: to - from }, refusal.message);
    for (let i = from; i < to; i++) group.waiters[i]?.reject(refusal);
  }

  /** The pack to append to. */
  private async active(): Promise<ActivePack> {
    if (this.current !== undefined && !this.current.takesMore) await this.retire();
    if (this.current === undefined) {
      const last = this.packs.bySlot.at(-1);
      const reopened = last?.appendable && last.end < packBytes;
      this.current = await ActivePack.open(reopened ? last : await this.packs.create(), this.context);
    }
    return this.current;
  }

  private async retire(): Promise<void> {
    const { current } = this;
    this.current = undefined;
    await this.publishing; // they end in the order in which they began
    await current?.close();
  }

  private emptyGroup(): Group {
    return { digests: new DigestList(this.index.function), bodies: [], waiters: [] };
  }
}

/** Lays the records of a group out from `start` on, as many as fit: `to` is the first blob and `end` the first byte after them. */
function layOut(group: Group, from: number, buffer: Uint8Array, start: number): { to: number; end: number } {
  const { digests, bodies } = group;
  const fn = digests.function;
  let end = start;
  let to = from;
  for (; to < bodies.length; to++) {
    const body = bodies[to] as Uint8Array;
    if (end + maxHeadLength + body.length > buffer.length) break;
    end = writeHead(buffer, end, fn, digests.words, to * fn.words, body.length);
    buffer.set(body, end);
    end += body.length;
  }
  return { to, end };
}
