import { directives } from "../../project/compose.ts";
import { kindName, type MapNode, type Node } from "../../project/node.ts";
import type { RemoteSpec } from "../remote-spec.ts";
import { type EntryContext, readEntry } from "./remote-entry.ts";

/** `artifacts` of a user: for all projects, or for one. */
export interface CacheBlock {
  readonly remotes: readonly RemoteSpec[];
  /** Whether there are any entries, be it such as are no remotes of artifacts. */
  readonly said: boolean;
  /** Whether what projects recommend is left out. */
  readonly overridesProjects: boolean;
  /** Where it stands; `undefined` for none. */
  readonly at: string | undefined;
}

const blockKeys = ["override-project-caches", "servers"];

/** Reads what a user says of caches: `servers` since BuildStream 1.95, a list of remotes or one remote before. */
export function readUserCaches(node: Node | undefined, key: string, context: EntryContext): CacheBlock {
  if (node === undefined) return { remotes: [], said: false, overridesProjects: false, at: undefined };
  const { dialect, reader } = context;
  if (dialect !== "2") {
    const remotes = readFlat(node, key, context);
    return { remotes, said: remotes.length > 0, overridesProjects: false, at: node.at };
  }
  if (node.kind !== "map") {
    const hint =
      node.kind === "list" ? "; BuildStream 1.91 to 1.93 had a list here, which --buildstream 1.9 reads" : "";
    reader.report(node.at, `${key}: a mapping with servers goes here, not ${kindName(node)}${hint}`);
    return { remotes: [], said: false, overridesProjects: false, at: node.at };
  }
  if (node.entries.has("url")) {
    reader.report(node.at, `${key}: remotes are a list under servers`);
  } else reader.keys(node, blockKeys);
  const servers = reader.list(node, "servers");
  return {
    remotes: readEntries(servers?.items ?? [], key, context),
    said: servers !== undefined && servers.items.length > 0,
    overridesProjects: reader.boolean(node, "override-project-caches", true) ?? false,
    at: node.at,
  };
}

/** Reads what a project recommends: a list of remotes, and before BuildStream 1.95 also one remote alone. */
export function readRecommended(node: Node | undefined, key: string, context: EntryContext): readonly RemoteSpec[] {
  if (node === undefined) return [];
  if (context.dialect !== "2") return readFlat(node, key, context);
  if (node.kind === "list") return readEntries(node.items, key, context);
  const servers = node.kind === "map" && node.entries.has("servers");
  const hint = servers ? "; servers is only for user configuration" : "";
  if (!refuseDirectives(node, key, context)) {
    context.reader.report(node.at, `${key}: a list of remotes goes here, not ${kindName(node)}${hint}`);
  }
  return [];
}

/** What is left of `(>)` and the like where there was no list to change. */
function refuseDirectives(node: Node, key: string, { reader }: EntryContext): boolean {
  const directive = node.kind === "map" ? directives.find((each) => node.entries.has(each)) : undefined;
  if (directive !== undefined) reader.report(node.at, `${key}: there is no list that ${directive} could change`);
  return directive !== undefined;
}

function readFlat(node: Node, key: string, context: EntryContext): readonly RemoteSpec[] {
  if (node.kind === "list") return readEntries(node.items, key, context);
  if (refuseDirectives(node, key, context)) return [];
  if (node.kind === "map" && node.entries.has("servers")) {
    const message = `${key}: servers came with BuildStream 1.95; a remote or a list of remotes goes here`;
    context.reader.report(node.at, message);
    return [];
  }
  if (node.kind === "map") return readEntries([node], key, context);
  context.reader.report(node.at, `${key}: a remote or a list of remotes goes here, not ${kindName(node)}`);
  return [];
}

function readEntries(items: readonly Node[], key: string, context: EntryContext): readonly RemoteSpec[] {
  const entries = items.map((item) => (item.kind === "map" ? readEntry(item, context) : refuse(item, key, context)));
  return entries.filter((entry) => entry !== undefined);
}

function refuse(node: Exclude<Node, MapNode>, key: string, { reader }: EntryContext): undefined {
  const hint = node.kind === "scalar" && node.text !== "" ? `, such as {url: ${node.text}}` : "";
  return reader.report(node.at, `${key}: a remote is a mapping${hint}, not ${kindName(node)}`);
}
