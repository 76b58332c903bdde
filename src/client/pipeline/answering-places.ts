import { remoteIdentity } from "../configuration/choose-remotes.ts";
import type { Reachability } from "../connection/reachability.ts";
import type { RemotePlace } from "../connection/remote-place.ts";
import type { Place } from "../place.ts";
import type { RemoteSpec } from "../remote-spec.ts";
import type { PipelinePlaces, PushPlaces } from "./element-transfers.ts";

/**
 * The servers of a run, for now without those that stopped answering in the middle of it, as the memory of unreachable servers has it: a call to one costs each element seconds. When their time has come, they
 * are asked again.
 */
export class AnsweringPlaces {
  private readonly remotes: ReadonlyMap<string, RemotePlace>;
  private readonly memory: Pick<Reachability, "blocked">;

  /** The remotes tell the memory themselves, as those of `openRemotes` do. */
  constructor(remotes: readonly RemotePlace[], memory: Pick<Reachability, "blocked">) {
    this.memory = memory;
    this.remotes = new Map(remotes.map((remote) => [remoteIdentity(remote.spec), remote]));
  }

  /** Of these remotes, in their order, those that are there and answer now. */
  of(specs: readonly RemoteSpec[]): PipelinePlaces {
    const remotes = specs
      .map((spec) => this.remotes.get(remoteIdentity(spec)))
      .filter((remote) => remote !== undefined);
    const pull = remotes.filter(({ spec }) => this.memory.blocked(spec) === undefined);
    return { pull, push: this.pushPlaces(remotes) };
  }

  private pushPlaces(remotes: readonly RemotePlace[]): PushPlaces {
    const to: Place[] = [];
    const away: { name: string; until: number }[] = [];
    for (const remote of remotes) {
      if (!remote.spec.push || !remote.writable) continue;
      const blocked = this.memory.blocked(remote.spec);
      if (blocked === undefined) to.push(remote);
      else away.push({ name: remote.name, until: blocked.until });
    }
    return { to, away };
  }
}
