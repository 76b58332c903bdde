import { remoteIdentity } from "../configuration/choose-remotes.ts";
import { findAwayServers } from "../connection/away-servers.ts";
import type { LeftRemote } from "../connection/open-remotes.ts";
import type { Reachability } from "../connection/reachability.ts";
import type { RemoteSpec } from "../remote-spec.ts";

export interface SourceServersOptions {
  /** The caches of sources of projects, by their names, in the order in which they are asked. */
  readonly ofProjects: ReadonlyMap<string, readonly RemoteSpec[]>;
  readonly reachability: Reachability;
  readonly signal: AbortSignal;
  /** Has `bst` use these alone. It is called where any is to be left out. */
  use(ofProjects: SourceServersOptions["ofProjects"]): Promise<void>;
  note(text: string): void;
}

/**
 * The caches of sources that are left to `bst`, without those that do not answer: each process that is started would wait for them. They are asked once, when it is first clear that `bst` will have to fetch or build. Disposing ends
 * what is under way.
 */
export class SourceServers implements Disposable {
  private readonly options: SourceServersOptions;
  private readonly ended = new AbortController();
  private settled: Promise<void> | undefined;

  constructor(options: SourceServersOptions) {
    this.options = options;
  }

  /** Resolves when `bst` may be started. Errors: the signal's. */
  settle(): Promise<void> {
    if (this.settled === undefined) {
      this.settled = this.leaveOut();
      this.settled.catch(() => {}); // whoever waits hears of it
    }
    return this.settled;
  }

  [Symbol.dispose](): void {
    this.ended.abort();
  }

  private async leaveOut(): Promise<void> {
    const { ofProjects, reachability, use } = this.options;
    const specs = new Map([...ofProjects.values()].flat().map((spec) => [remoteIdentity(spec), spec]));
    if (specs.size === 0) return;
    const signal = AbortSignal.any([this.options.signal, this.ended.signal]);
    const left = await findAwayServers([...specs.values()], { reachability, signal });
    if (left.length === 0) return;
    this.tell(left);
    const away = new Set(left.map(({ spec }) => remoteIdentity(spec)));
    const stay = (spec: RemoteSpec): boolean => !away.has(remoteIdentity(spec));
    await use(new Map([...ofProjects].map(([name, servers]) => [name, servers.filter(stay)])));
  }

  /** A server that stands in several entries is named once. */
  private tell(left: readonly LeftRemote[]): void {
    const { reachability, note } = this.options;
    const texts = new Map<string, string>();
    for (const { spec, error } of left) {
      const blocked = reachability.blocked(spec);
      const out = `${spec.name} is left out for sources`;
      if (blocked === undefined) texts.set(spec.name, `${out}: ${error.message}`);
      else {
        const until = new Date(blocked.until).toISOString().replace(/\.\d+Z$/, "Z");
        const again = "after `stillage remote check` it is tried at once";
        texts.set(spec.name, `${out} until ${until}, as it does not answer (${blocked.why}); ${again}`);
      }
    }
    for (const text of texts.values()) note(text);
  }
}
