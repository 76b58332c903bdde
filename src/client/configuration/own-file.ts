import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { isProblems } from "../../config/load.ts";
import type { Problem } from "../../config/problem.ts";
import { type MapNode, valueAt } from "../../project/node.ts";
import { type Environment, xdgDirectory } from "../../project/paths.ts";
import { readNodes } from "../../project/read-nodes.ts";
import type { ValueReader } from "../../project/read-value.ts";
import type { RemoteSpec } from "../remote-spec.ts";
import { readEntry } from "./remote-entry.ts";

/** Names Stillage's own file where no flag does. */
export const clientConfigVariable = "STILLAGE_CLIENT_CONFIG";

/** What Stillage's own file says. */
export interface OwnFile {
  /** `undefined` where there is none. */
  readonly path: string | undefined;
  /** All that have a name. */
  readonly named: readonly RemoteSpec[];
  /** Those that are used without being named. */
  readonly remotes: readonly RemoteSpec[];
  /** Whether BuildStream's remotes are left out. */
  readonly overridesBuildStream: boolean;
}

const fileKeys = ["remotes", "override-buildstream"];
const uses = ["always", "by-name"] as const;

/** Names that mean another place. */
const takenNames = ["local"];

/** Reads the file that is named, or the usual one where it is there. */
export function readOwnFile(
  flag: string | undefined,
  workingDirectory: string,
  environment: Environment,
  reader: ValueReader,
  notes: Problem[],
): OwnFile {
  const nothing: OwnFile = { path: undefined, named: [], remotes: [], overridesBuildStream: false };
  const found = locate(flag, workingDirectory, environment);
  if (found === undefined) return nothing;
  const root = readNodes(found.path, found.origin, true);
  if (isProblems(root)) {
    reader.problems.push(...root);
    return { ...nothing, path: found.path };
  }
  reader.keys(root, fileKeys);
  const context = { dialect: "2", folder: dirname(found.path), environment, reader, notes } as const;
  const named: RemoteSpec[] = [];
  const remotes: RemoteSpec[] = [];
  for (const item of reader.list(root, "remotes")?.items ?? []) {
    if (item.kind !== "map") {
      reader.report(item.at, "remotes: a mapping with name and url goes here");
      continue;
    }
    const remote = readEntry(item, context, ["name", "use"]);
    const name = nameOf(item, named, reader);
    const use = reader.choice(item, "use", uses) ?? "always";
    if (remote === undefined || name === undefined) continue;
    named.push({ ...remote, name });
    if (use === "always") remotes.push({ ...remote, name });
  }
  const overridesBuildStream = reader.boolean(root, "override-buildstream", false) ?? false;
  return { path: found.path, named, remotes, overridesBuildStream };
}

function locate(
  flag: string | undefined,
  workingDirectory: string,
  environment: Environment,
): { readonly path: string; readonly origin: string } | undefined {
  const variable = environment[clientConfigVariable];
  if (flag !== undefined) return { path: resolve(workingDirectory, flag), origin: "--client-config" };
  if (variable !== undefined && variable !== "") {
    return { path: resolve(workingDirectory, variable), origin: clientConfigVariable };
  }
  const path = join(xdgDirectory("XDG_CONFIG_HOME", environment), "stillage", "client.yaml");
  return existsSync(path) ? { path, origin: path } : undefined;
}

function nameOf(map: MapNode, others: readonly RemoteSpec[], reader: ValueReader): string | undefined {
  const name = reader.text(map, "name");
  const at = valueAt(map, "name")?.at ?? map.at;
  if (name === undefined) return map.entries.has("name") ? undefined : reader.report(at, "a remote needs a name here");
  if (!/^[A-Za-z0-9][\w.-]*$/.test(name) || takenNames.includes(name) || name.endsWith(".tar")) {
    const message = `name: ${JSON.stringify(name)} is no name for a remote: letters, digits, -, _ and . it is, but not "local", nor .tar at the end`;
    return reader.report(at, message);
  }
  const other = others.find((each) => each.name === name);
  return other === undefined
    ? name
    : reader.report(at, `name: ${name} is what the remote at ${other.origin} is called`);
}
