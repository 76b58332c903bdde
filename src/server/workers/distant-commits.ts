import type { ThreadLine } from "../../base/thread-line.ts";
import type { CommitDesk, SummaryNow } from "../../cache/commit-index.ts";
import type { CommitDesks } from "../commit-desks.ts";

/** What the thread of the store answers. */
export type CommitAsks = ReturnType<CommitDesks["answers"]>;

/** The commits of one instance, in the thread of the store. The summary is kept here as well, and asked for again only when it is another one. */
export class DistantCommits implements CommitDesk {
  private readonly instance: string;
  private readonly line: ThreadLine<CommitAsks>;
  private last: SummaryNow | undefined;

  constructor(instance: string, line: ThreadLine<CommitAsks>) {
    this.instance = instance;
    this.line = line;
  }

  async summary(known?: string): Promise<SummaryNow | undefined> {
    const { last } = this;
    const now = (await this.line.ask("commitSummary", this.instance, last?.tag)) ?? last;
    this.last = now;
    return now?.tag === known ? undefined : now;
  }

  head(ref: string): Promise<string | undefined> {
    return this.line.ask("commitHead", this.instance, ref);
  }

  pull(commit: string): Promise<number | undefined> {
    return this.line.ask("pullCommit", this.instance, commit);
  }

  detached(commit: string): Promise<Uint8Array | undefined> {
    return this.line.ask("commitDetached", this.instance, commit);
  }
}
