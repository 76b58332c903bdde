import type { DigestList } from "../../base/digest-list.ts";
import type { MaybePromise } from "../../base/maybe-promise.ts";
import { entryLength } from "../batch-entry.ts";
import type { BatchRead } from "../blob-store.ts";
import { BatchFiller, type BatchPlan, type Run, type RunFiles } from "./batch-filler.ts";
import type { BlobFiles } from "./blob-files.ts";
import { type DigestIndex, inFile } from "./digest-index.ts";
import type { DiskContext } from "./disk-context.ts";
import { closeFile } from "./file-io.ts";
import type { Pack } from "./pack.ts";
import type { Packs } from "./packs.ts";

/** Told of digest `i`, which turned out not to lie where it should: in that pack, or in a file, and at that offset. */
export type Discard = (digests: DigestList, i: number, pack: Pack | undefined, offset: number) => void;

/** A batch for somebody else to read, in another thread for instance. */
export interface BatchLoan {
  readonly plan: BatchPlan<Pack>;
  readonly files: RunFiles<Pack>;
}

/** Reads many small blobs: neighbours in a pack, asked for one after the other, with one read. */
export class BatchReader {
  private readonly index: DigestIndex;
  private readonly packs: Packs;
  private readonly context: DiskContext;
  private readonly filler: BatchFiller;
  private readonly files: RunFiles<Pack>;

  constructor(
    parts: { readonly index: DigestIndex; readonly packs: Packs; readonly files: BlobFiles },
    context: DiskContext,
    discard: Discard,
  ) {
    this.index = parts.index;
    this.packs = parts.packs;
    this.context = context;
    this.filler = new BatchFiller(context.pace, context.readBuffers);
    const { openPacks } = context;
    this.files = {
      acquire: (pack) => openPacks.acquire(pack),
      release: (pack) => openPacks.release(pack),
      hold: (pack) => openPacks.hold(pack),
      letGo: (pack) => openPacks.letGo(pack),
      open: ({ i, offset }, digests) => parts.files.open({ digest: digests.at(i), serial: offset }),
      close: closeFile,
      discard: (digests, i, { pack }, offset) => discard(digests, i, pack, offset),
    };
  }

  /** `digests` must stay as they are until this settles. `quiet`: not a use of the blobs. */
  read(digests: DigestList, quiet: boolean): MaybePromise<BatchRead> {
    return this.filler.fill(digests, this.plan(digests, quiet), this.files);
  }

  /** What to read, and from what, for a caller who does it himself. */
  lend(digests: DigestList): BatchLoan {
    return { plan: this.plan(digests, false), files: this.files };
  }

  /** Looks every digest up and says what is to be read, where to. */
  private plan(digests: DigestList, quiet: boolean): BatchPlan<Pack> {
    const { index } = this;
    const { function: fn, words, sizes } = digests;
    const used = this.context.now();
    const missing: number[] = [];
    const runs: Run<Pack>[] = [];
    let run: Run<Pack> | undefined;
    let bytes = 0;
    for (let i = 0; i < digests.length; i++) {
      const size = sizes[i] as number;
      const isEmpty = size === 0 && fn.emptyHash !== undefined;
      const entry = isEmpty ? -1 : index.findSized(words, i * fn.words, size);
      if (entry < 0 && !isEmpty) {
        missing.push(i);
        continue;
      }
      const at = bytes;
      bytes += entryLength(fn, size);
      if (entry < 0) continue; // the empty blob is all head, which is written when there is a buffer
      if (!quiet) index.touch(entry, used);
      const place = index.place(entry);
      const offset = index.offset(entry);
      const pack = place === inFile ? undefined : this.packs.at(place);
      if (pack !== undefined && run?.pack === pack && run.end === at && run.offset + at - run.at === offset) {
        run.end = bytes;
      } else {
        run = { pack, i, offset, at, end: bytes };
        runs.push(run);
      }
    }
    return { runs, bytes, missing };
  }
}
