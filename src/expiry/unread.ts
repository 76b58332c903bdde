import { type Digest, showDigest } from "../base/digest.ts";
import { StillageError } from "../base/errors.ts";
import { kept, type ShelfMarks } from "./marks.ts";

/** A blob that the disk did not give. */
export interface UnreadBlob {
  readonly instance: string;
  readonly digest: Digest;
  readonly error: StillageError;
}

/** More than that has nobody look at by hand; each takes a look for every blob that no ref reaches. */
const maxNoted = 100;

interface Place {
  readonly instance: string;
  readonly shelf: ShelfMarks;
  readonly number: number;
}

/** Blobs that could not be read although they are there: what lies below them is not known, and may be any blob that nothing else reaches. */
export class Unread {
  /** The first of them. */
  readonly blobs: UnreadBlob[] = [];
  private readonly places: Place[] = [];
  /** Instances with more of them than are noted. */
  private readonly lost = new Set<string>();

  note(instance: string, shelf: ShelfMarks, number: number, error: StillageError): void {
    if (this.places.some((each) => each.shelf === shelf && each.number === number)) return;
    if (this.places.length >= maxNoted) {
      this.lost.add(instance);
      return;
    }
    this.places.push({ instance, shelf, number });
    this.blobs.push({ instance, digest: shelf.census.digest(number), error });
  }

  /** The time of the newest ref that leads to what could not be read in an instance: what no ref reaches may be as new as that. 0 where all was read. */
  newest(instance: string): number {
    if (this.places.length === 0) return 0;
    if (this.lost.has(instance)) return kept;
    let time = 0;
    for (const { shelf, number, ...each } of this.places) {
      if (each.instance === instance) time = Math.max(time, shelf.reached[number] as number);
    }
    return time;
  }
}

/** For logs and reports. */
export function shownUnread({ instance, digest, error }: UnreadBlob): object {
  return { instance, blob: showDigest(digest), error: error.message };
}

/** Whether a reading failed for the disk's sake. */
export function isUnread(error: unknown): error is StillageError {
  return error instanceof StillageError && error.code === "internal";
}
