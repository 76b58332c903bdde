import type { Digest } from "../../base/digest.ts";
import type { DigestList } from "../../base/digest-list.ts";
import { fromFileSystem } from "../../base/errors.ts";
import { entryLength } from "../batch-entry.ts";
import type { BlobBatch } from "../blob-store.ts";
import { bodyOf } from "../put-each.ts";
import { ActivePack } from "./active-pack.ts";
import { packedRoom, recordBytes } from "./blob-room.ts";
import type { DigestIndex } from "./digest-index.ts";
import { checkOpen, type DiskContext } from "./disk-context.ts";
import { present, removed } from "./index-format.ts";
import type { Pack } from "./pack.ts";
import { type Origin, PackGroup } from "./pack-group.ts";
import type { Packs } from "./packs.ts";

/** What is laid out for one write: the next group gathers meanwhile, and an answer waits for one sync of this much. */
export const stagingBytes = 4 << 20;

/** Room that is kept for a blob. */
export interface Promised {
  room: number;
}

/** Blobs of a group that go into one write. */
interface Part {
  readonly group: PackGroup;
  readonly from: number;
  readonly to: number;
}

/** Appends small blobs to packs: whatever waits is written at once and made durable by one sync. */
export class PackWriter {
  private readonly packs: Packs;
  private readonly index: DigestIndex;
  private readonly context: DiskContext;
  private waiting: PackGroup;
  private running: Promise<void> | undefined;
  /** The last part that was written: settles once it, and all before it, are published or refused. */
  private publishing: Promise<void> | undefined;
  private current: ActivePack | undefined;

  constructor(packs: Packs, index: DigestIndex, context: DiskContext) {
    this.packs = packs;
    this.index = index;
    this.context = context;
    this.waiting = new PackGroup(this.index.function);
  }

  /**
   * Stores a blob that has been verified and is not there. Resolves once it is durable and indexed. `promised` is the room for it where that was
   * taken before, and is used up by this. Errors: `exhausted`.
   */
  async put(digest: Digest, bytes: Uint8Array, promised?: Promised): Promise<void> {
    checkOpen(this.context);
    const room = packedRoom(digest.function, bytes.length);
    if (promised?.room === room) promised.room = 0;
    else {
      const waiting = this.context.space.take(room);
      if (waiting !== undefined) await waiting;
    }
    try {
      await new Promise<void>((resolve, reject) => {
        this.waiting.digests.push(digest);
        this.waiting.add(bytes, 0, false, { stored: resolve, refused: reject });
        this.running ??= this.run();
      });
    } catch (error) {
      this.context.space.giveBack(room);
      throw error;
    }
  }

  /**
   * As `put` of those blobs of a batch that are at `which`. Resolves, never rejects, once none of them is under way, to why those failed that did, by their
   * positions in the batch.
   */
  async putBatch(batch: BlobBatch, which: readonly number[]): Promise<Map<number, unknown>> {
    const failures = new Map<number, unknown>();
    if (which.length === 0) return failures;
    const { digests, bytes, starts, framed } = batch;
    const { sizes, function: fn } = digests;
    let room = 0;
    for (const i of which) room += packedRoom(fn, sizes[i] as number);
    const { context } = this;
    if (!this.takeAtOnce(room)) return this.putEachOf(batch, which);
    await new Promise<void>((resolve) => {
      const { waiting } = this;
      const first = waiting.length;
      let left = which.length;
      const stored = (): void => {
        if (--left === 0) resolve();
      };
      const refused = (error: unknown, i: number): void => {
        const position = which[i - first] as number;
        context.space.giveBack(packedRoom(fn, sizes[position] as number));
        failures.set(position, error);
        stored();
      };
      const waiter = { stored, refused };
      for (const i of which) {
        waiting.digests.append(digests, i);
        waiting.add(bytes, starts[i] as number, framed[i] as boolean, waiter);
      }
      this.running ??= this.run();
    });
    return failures;
  }

  private takeAtOnce(room: number): boolean {
    const { closed, space } = this.context;
    try {
      return !closed && space.takeAtOnce(room);
    } catch {
      return false; // each of them will be told why
    }
  }

  /** The same, where some may have to wait for room, and some not fit. */
  private async putEachOf(batch: BlobBatch, which: readonly number[]): Promise<Map<number, unknown>> {
    const failures = new Map<number, unknown>();
    const put = (i: number): Promise<unknown> =>
      this.put(batch.digests.at(i), bodyOf(batch, i)).catch((error) => failures.set(i, error));
    await Promise.all(which.map(put));
    return failures;
  }

  /**
   * Writes blobs once more, which have been verified, and lets the index lead to the copies once those are durable, also in a store that is
   * not; a blob that has been removed meanwhile, or stored anew, is left alone. `origins` tells where each lies. They take their room whatever the
   * quota says.
   */
  async copy(digests: DigestList, bodies: readonly Uint8Array[], origins: readonly Origin[]): Promise<void> {
    const { waiting } = this;
    checkOpen(this.context);
    let left = bodies.length;
    let failure: unknown;
    await new Promise<void>((resolve) => {
      const stored = (): void => {
        if (--left === 0) resolve(); // not before the last: until then the bodies are needed
      };
      const refused = (error: unknown): void => {
        failure ??= error;
        stored();
      };
      const waiter = { stored, refused };
      for (const [i, body] of bodies.entries()) {
        waiting.origins.set(waiting.length, origins[i] as Origin);
        waiting.digests.append(digests, i);
        waiting.add(body, 0, false, waiter);
      }
      this.running ??= this.run();
    });
    if (failure !== undefined) throw failure;
  }

  /** Appends no more to a pack; resolves when nothing of it is under way, and it is closed. */
  async leave(pack: Pack): Promise<void> {
    pack.appendable = false;
    while (this.current?.pack === pack) {
      this.running ??= this.run();
      await this.running;
    }
  }

  /** Waits for what is being written and completes the index file. */
  async close(): Promise<void> {
    await this.running;
    await this.retire();
  }

  private async run(): Promise<void> {
    await null; // whoever puts several at once shall find them in one group
    do {
      while (this.waiting.length > 0) {
        const group = this.waiting;
        this.waiting = new PackGroup(this.index.function);
        for (let from = 0; from < group.length; ) from = await this.write(group, from);
      }
      if (this.current?.pack.appendable === false) await this.retire();
    } while (this.waiting.length > 0);
    this.running = undefined;
  }

  /**
   * Writes as much of a group from `from` on as goes into one write, and returns where the rest begins. It is published once a sync has
   * ended that began after the write; the next group is written meanwhile.
   * A crash before that leaves whole records, which the next start finds by their hashes and keeps, and one torn, which it cuts off;
   * after it, the same with all of them whole. Nobody is told of a blob before that.
   */
  private async write(group: PackGroup, from: number): Promise<number> {
    const { staging } = this.context;
    const buffer = staging.take();
    let part = { group, from, to: group.length };
    try {
      const active = await this.active();
      const start = active.startInBuffer;
      const { to, end } = group.layOut(from, buffer, start, active.left);
      part = { group, from, to };
      const position = await active.append(buffer, start, end);
      this.publishing = this.publish(active, part, position, this.publishing);
    } catch (error) {
      this.refuse(part, error);
    } finally {
      staging.give(buffer);
    }
    await this.current?.writeList();
    return part.to;
  }

  /**
   * Makes blobs of the records that were written at `position`, once those `before` them are: where one part waits for its sync and the
   * next one does not, the pack would end before what has been published. Never rejects.
   */
  private async publish(
    active: ActivePack,
    part: Part,
    position: number,
    before: Promise<void> | undefined,
  ): Promise<void> {
    try {
      await active.synced(this.context.durable || part.group.origins.size > 0);
      if (before !== undefined) await before;
      active.mustBeGood(); // nothing is published behind what was refused
    } catch (error) {
      if (before !== undefined) await before;
      return this.refuse(part, error);
    }
    const { index } = this;
    const { pack } = active;
    const { digests, waiters, origins } = part.group;
    const now = this.context.now();
    let offset = position;
    for (let i = part.from; i < part.to; i++) {
      const size = digests.sizes[i] as number;
      const word = i * digests.function.words;
      const length = entryLength(digests.function, size);
      const origin = origins.size === 0 ? undefined : origins.get(i);
      if (origin === undefined) index.insert(digests.words, word, size, pack.slot, offset, now);
      else this.context.space.lend(packedRoom(digests.function, size));
      const used = origin === undefined ? now : this.switchTo(pack.slot, offset, digests, word, origin);
      const kind = used === undefined ? removed : present; // what was removed while it was copied must not be found at the next start
      active.list({ kind, words: digests.words, word, offset, size, used: used ?? now }, offset + length);
      if (used !== undefined) {
        pack.live += length;
        if (origin !== undefined) origin.pack.live -= length;
      }
      offset += length;
    }
    pack.counted += offset - position + (part.to - part.from) * recordBytes(digests.function);
    pack.end = offset;
    for (let i = part.from; i < part.to; i++) waiters[i]?.stored();
  }

  /** Lets the index lead to a copy, and returns the last use of the blob; `undefined` where it is no longer what was copied. */
  private switchTo(
    slot: number,
    offset: number,
    digests: DigestList,
    word: number,
    origin: Origin,
  ): number | undefined {
    const { index, packs } = this;
    const entry = index.find(digests.words, word);
    if (entry < 0 || packs.at(index.place(entry)) !== origin.pack || index.offset(entry) !== origin.offset)
      return undefined;
    index.move(entry, slot, offset);
    return index.used(entry);
  }

  private refuse({ group, from, to }: Part, error: unknown): void {
    const refusal = fromFileSystem(error, "cannot store blobs");
    this.context.log.error({ error, blobs: to - from }, refusal.message);
    for (let i = from; i < to; i++) group.waiters[i]?.refused(refusal, i);
  }

  /** The pack to append to. */
  private async active(): Promise<ActivePack> {
    if (this.current !== undefined && !this.current.takesMore) await this.retire();
    if (this.current === undefined) {
      const pack = (await this.packs.reopen()) ?? (await this.packs.create());
      this.current = await ActivePack.open(pack, this.context);
    }
    return this.current;
  }

  /** The pack stays the current one until all of it is published and it is closed: whoever leaves it waits for that. */
  private async retire(): Promise<void> {
    await this.publishing;
    await this.current?.close();
    this.current = undefined;
  }
}
