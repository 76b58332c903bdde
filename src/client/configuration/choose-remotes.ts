import type { Dialect } from "../../project/dialect.ts";
import type { RemoteSpec } from "../remote-spec.ts";
import type { CacheBlock } from "./cache-block.ts";
import type { SetAside } from "./client-configuration.ts";

/** Everything that names remotes. */
export interface RemoteSources {
  readonly dialect: Dialect;
  readonly commandLine: readonly RemoteSpec[];
  /** Stillage's own file. */
  readonly own: { readonly remotes: readonly RemoteSpec[]; readonly overridesBuildStream: boolean };
  /** The user's for this project. */
  readonly forProject: CacheBlock;
  /** The user's for all projects. */
  readonly global: CacheBlock;
  /** The project's own. */
  readonly recommended: readonly RemoteSpec[];
  readonly ignoreProjectRemotes: boolean;
}

export interface Choice {
  readonly remotes: readonly RemoteSpec[];
  readonly setAside: readonly SetAside[];
}

interface Group {
  readonly remotes: readonly RemoteSpec[];
  /** Why none of them is used; `undefined` where they are. */
  readonly why: string | undefined;
}

/** Which remotes are used, in BuildStream's order, with Stillage's own file between command line and BuildStream's files. */
export function chooseRemotes(sources: RemoteSources): Choice {
  const groups = sources.dialect === "2" ? groupsOf2(sources) : groupsOf1(sources);
  const setAside = groups.flatMap(({ remotes, why }) =>
    why === undefined ? [] : remotes.map((remote): SetAside => ({ remote, why })),
  );
  const used = groups.flatMap(({ remotes, why }) => (why === undefined ? remotes : []));
  const { kept, dropped } = sources.dialect === "1" ? oneOfEachUrl(used) : oneOfEachKind(used);
  return { remotes: kept, setAside: [...dropped, ...setAside] };
}

const onCommandLine = "the command line names others";
const ownFileOnly = "Stillage's own file says override-buildstream";
const projectIgnored = "the remotes of projects are ignored";

/** What the project recommends stands last, and is the only thing that a command line leaves. */
function groupsOf2({
  commandLine,
  own,
  forProject,
  global,
  recommended,
  ignoreProjectRemotes,
}: RemoteSources): Group[] {
  const given = commandLine.length > 0 ? onCommandLine : undefined;
  const byOwn = own.overridesBuildStream ? ownFileOnly : undefined;
  const byProject = forProject.said ? `those of the project at ${forProject.at} take their place` : undefined;
  const overriding = [forProject, global].find(({ overridesProjects }) => overridesProjects);
  const byUser = overriding === undefined ? undefined : `override-project-caches is set at ${overriding.at}`;
  return [
    { remotes: commandLine, why: undefined },
    { remotes: own.remotes, why: given },
    { remotes: forProject.remotes, why: given ?? byOwn },
    { remotes: global.remotes, why: given ?? byOwn ?? byProject },
    { remotes: recommended, why: ignoreProjectRemotes ? projectIgnored : (byOwn ?? byUser) },
  ];
}

/** Everything is used, the user's remotes for all projects last; or the command line's alone. */
function groupsOf1({
  commandLine,
  own,
  forProject,
  global,
  recommended,
  ignoreProjectRemotes,
}: RemoteSources): Group[] {
  const given = commandLine.length > 0 ? onCommandLine : undefined;
  const byOwn = given ?? (own.overridesBuildStream ? ownFileOnly : undefined);
  return [
    { remotes: commandLine, why: undefined },
    { remotes: own.remotes, why: given },
    { remotes: forProject.remotes, why: byOwn },
    { remotes: recommended, why: byOwn ?? (ignoreProjectRemotes ? projectIgnored : undefined) },
    { remotes: global.remotes, why: byOwn },
  ];
}

interface Kept {
  readonly kept: readonly RemoteSpec[];
  readonly dropped: readonly SetAside[];
}

/** All that matters of a remote, as text: equal for two that differ in what they are called, and in where that stands, alone. */
export function remoteIdentity({ url, type, push, instanceName, auth, connection }: RemoteSpec): string {
  // Files and command line say their keys in orders of their own.
  const sorted = [auth, connection].map((each) => Object.entries(each).toSorted());
  return JSON.stringify([url, type, push, instanceName, ...sorted]);
}

/** Those that differ in nothing are one; what differs in anything, be it only `push`, is a remote of its own. */
function oneOfEachKind(remotes: readonly RemoteSpec[]): Kept {
  const seen = new Map<string, RemoteSpec>();
  const dropped: SetAside[] = [];
  for (const remote of remotes) {
    const key = remoteIdentity(remote);
    const first = seen.get(key);
    if (first === undefined) seen.set(key, remote);
    else dropped.push({ remote, why: `it is the same as the one at ${first.origin}` });
  }
  return { kept: [...seen.values()], dropped };
}

/** BuildStream 1 knows a remote by its URL: it stands where that is said first, and is what is said of it last. */
function oneOfEachUrl(remotes: readonly RemoteSpec[]): Kept {
  const last = new Map<string, RemoteSpec>();
  for (const remote of remotes) last.set(remote.url, remote);
  const kept = [...last.values()];
  const dropped = remotes
    .filter((remote) => last.get(remote.url) !== remote)
    .map((remote) => ({ remote, why: `what is said of its URL at ${last.get(remote.url)?.origin} holds` }));
  return { kept, dropped };
}
