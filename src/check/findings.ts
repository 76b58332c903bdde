/** What may be found in a store: whether it is wrong or merely worth knowing, what it means, and what a repair does about it. */
export const kinds = {
  "stamp-damaged": wrong(
    "the stamp that says what the directory is cannot be read: no server opens it",
    "the stamp is written anew",
  ),
  "stamp-unknown": wrong(
    "the stamp names another format: a later version's, or damage",
    "nothing: it may be a later version's store",
  ),
  "pack-header-damaged": wrong(
    "the header of a pack is not what it should be; its blobs are served all the same",
    "the header is written anew",
  ),
  "pack-lost": wrong(
    "there is the index of a pack, and no pack: its blobs are missing",
    "the index is deleted; clients bring the blobs again",
  ),
  "pack-unlisted": note(
    "blobs behind what a pack's index lists: the server was killed, or is copied while it ran",
    "they are listed, as the next start does",
  ),
  "pack-torn": note("the unfinished end of a write", "it is quarantined and cut off, as the next start cuts it"),
  "index-torn": note("the unfinished end of an index file", "it is made anew from the pack"),
  "index-damaged": wrong(
    "an index file does not verify; the next start reads the pack instead",
    "it is made anew from the pack",
  ),
  "blob-rotten": wrong(
    "what is stored is not what was pushed",
    "it is quarantined; the blob is missing until a client brings it again",
  ),
  "file-missing": wrong(
    "a large blob is listed whose file is gone",
    "it is listed no more; the blob is missing until a client brings it again",
  ),
  "file-unlisted": wrong(
    "a large blob's file that the journal does not list: nobody is served it",
    "it is listed where it is whole, else quarantined",
  ),
  "file-twice": wrong("a second file of a large blob", "it is deleted"),
  "file-unsettled": note("a large blob that was being moved to its place", "it is moved, as the next start does"),
  "journal-torn": note("the unfinished end of the journal of large blobs", "the journal is made anew from the files"),
  "journal-damaged": wrong(
    "the journal of large blobs does not verify; the next start lists the files anew",
    "it is made anew from the files",
  ),
  leftover: note("what an interrupted write or removal left", "it is deleted, as the next start does"),
  unreadable: wrong("the system does not let it be read", "nothing: see to the disk, or to owner and mode"),
  foreign: note("something that is not the store's", "nothing: it is left alone"),
  "refs-missing": wrong("there are blobs, but no file of names", "an empty one is made; clients push again"),
  "refs-unknown": wrong("the file of names is not one that this version knows", "nothing: it may be a later version's"),
  "refs-old": note(
    "the file of names is of an older version, and is not read here",
    "nothing: `stillage store migrate`, or the next start, brings it to the present format",
  ),
  "refs-damaged": wrong(
    "the file of names is damaged",
    "what can be read is taken to a new file; the old one stays under another name",
  ),
  "refs-derived": wrong(
    "tables that follow from the names do not agree with them",
    "they are made anew in a new file; the old one stays under another name",
  ),
  "ref-unreadable": wrong(
    "a name whose roots cannot be read: it cannot be served",
    "it is left out of the new file; the old one stays under another name",
  ),
  "refs-lost": wrong("names that were in the damaged file and could not be read", "nothing: clients push them again"),
  "ref-incomplete": note(
    "a name that needs blobs which are not here, or trees with names that lead elsewhere: it is not served, and heals when it is pushed again",
    "nothing",
  ),
} as const satisfies Record<string, Kind>;

export interface Kind {
  readonly severity: "wrong" | "note";
  readonly meaning: string;
  readonly repair: string;
}

export type FindingKind = keyof typeof kinds;

/** One thing that was found: `where`, below the store's directory or as a name, and what there. */
export interface Finding {
  readonly kind: FindingKind;
  readonly where: string;
  readonly what: string;
  repaired: boolean;
}

/** Findings of one kind that are kept: more say no more, and a broken disk has millions. */
const keptOfKind = 1000;

/** What a check has come to. */
export class Findings {
  readonly kept: Finding[] = [];
  /** How many there were of each kind. */
  readonly counts = new Map<FindingKind, number>();
  /** How many of those that are wrong were not repaired. */
  private open = 0;

  add(kind: FindingKind, where: string, what: string): Finding {
    const finding: Finding = { kind, where, what, repaired: false };
    const count = (this.counts.get(kind) ?? 0) + 1;
    this.counts.set(kind, count);
    if (count <= keptOfKind) this.kept.push(finding);
    if (kinds[kind].severity === "wrong") this.open++;
    return finding;
  }

  repaired(findings: Iterable<Finding>): void {
    for (const finding of findings) {
      if (finding.repaired) continue;
      finding.repaired = true;
      if (kinds[finding.kind].severity === "wrong") this.open--;
    }
  }

  /** What is wrong, repaired or not. */
  get wrong(): number {
    let sum = 0;
    for (const [kind, count] of this.counts) if (kinds[kind].severity === "wrong") sum += count;
    return sum;
  }

  /** What is wrong still. */
  get unrepaired(): number {
    return this.open;
  }
}

function wrong(meaning: string, repair: string): Kind {
  return { severity: "wrong", meaning, repair };
}

function note(meaning: string, repair: string): Kind {
  return { severity: "note", meaning, repair };
}
