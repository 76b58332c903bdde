import { didYouMean } from "../config/nearest.ts";
import { canonicalArchitecture } from "./architecture.ts";
import type { Generation } from "./dialect.ts";
import type { Value } from "./expression.ts";
import { type ListNode, type MapNode, type Node, valueAt } from "./node.ts";
import type { ValueReader } from "./read-value.ts";

const optionTypes = ["bool", "enum", "flags", "element-mask", "arch", "os"] as const;
type OptionType = (typeof optionTypes)[number];

const commonKeys = ["type", "description", "variable"];
const ownKeys: Readonly<Record<OptionType, readonly string[]>> = {
  bool: ["default"],
  enum: ["values", "default"],
  flags: ["values", "default"],
  "element-mask": ["default"],
  arch: ["values"],
  os: ["values"],
};

/** What decides the values of a project's options, beside the project. */
export interface OptionSources {
  readonly generation: Generation;
  /** `options` of the user for this project. */
  readonly user: MapNode | undefined;
  readonly commandLine: readonly (readonly [name: string, value: string])[];
  /** As `uname -m` and `uname -s` say. */
  readonly machine: string;
  readonly system: string;
}

interface Option {
  readonly type: OptionType;
  /** Of an element mask any elements, which nobody checks here. */
  readonly values: readonly string[] | undefined;
  value: Value;
}

/** The options of a project with their values: defaults, then the user's, then those of the command line. */
export function readOptions(
  definitions: MapNode | undefined,
  sources: OptionSources,
  reader: ValueReader,
): ReadonlyMap<string, Value> {
  const options = new Map<string, Option>();
  for (const [name, { at, value }] of definitions?.entries ?? []) {
    const option = value.kind === "map" ? define(name, value, sources, reader) : undefined;
    if (value.kind !== "map") reader.report(at, `${name}: a mapping that defines an option goes here`);
    if (option !== undefined) options.set(name, option);
  }
  const find = (name: string, at: string): Option | undefined => {
    const option = options.get(name);
    if (option === undefined && definitions?.entries.has(name) !== true) {
      reader.report(at, `the project has no option ${name}${didYouMean(name, [...options.keys()])}`);
    }
    return option;
  };
  for (const [name, { at, value }] of sources.user?.entries ?? []) {
    const option = find(name, at);
    if (option !== undefined) set(name, option, value, sources, reader);
  }
  for (const [name, text] of sources.commandLine) {
    const option = find(name, `--option ${name}`);
    if (option !== undefined) set(name, option, nodeOf(option, name, text), sources, reader);
  }
  for (const [name, { type, value, values }] of options) {
    // Neither is known before this machine is asked.
    if ((type !== "arch" && type !== "os") || values?.includes(String(value)) === true) continue;
    reader.report(
      definitions?.entries.get(name)?.at ?? "",
      `${name}: this machine, ${value}, is none of ${values?.join(", ")}`,
    );
  }
  return new Map([...options].map(([name, { value }]) => [name, value]));
}

function define(name: string, map: MapNode, sources: OptionSources, reader: ValueReader): Option | undefined {
  const type = reader.choice(map, "type", optionTypes);
  if (type === undefined) {
    if (!map.entries.has("type"))
      reader.report(map.at, `${name}: an option needs a type, one of ${optionTypes.join(", ")}`);
    return undefined;
  }
  reader.keys(map, [...commonKeys, ...ownKeys[type]]);
  const listed = ownKeys[type].includes("values");
  const values = listed ? reader.list(map, "values")?.items.map(textOf) : undefined;
  if (listed && (values === undefined || values.length === 0)) {
    return reader.report(map.at, `${name}: an option of type ${type} needs its values`);
  }
  const option: Option = { type, values, value: defaultOf(type, values ?? [], sources) };
  const given = valueAt(map, "default");
  if (given !== undefined) set(name, option, given, sources, reader);
  else if (type === "bool" || type === "enum")
    reader.report(map.at, `${name}: an option of type ${type} needs a default`);
  return option;
}

/** What an option is where nobody says it. */
function defaultOf(type: OptionType, values: readonly string[], { generation, machine, system }: OptionSources): Value {
  if (type === "bool") return false;
  if (type === "enum") return "";
  if (type === "os") return system;
  if (type !== "arch") return [];
  if (generation === "1") return machine;
  const host = canonicalArchitecture(machine) ?? machine;
  return values.find((value) => canonicalArchitecture(value) === host) ?? host;
}

function set(name: string, option: Option, node: Node, { generation }: OptionSources, reader: ValueReader): void {
  const flags = option.type === "flags" || option.type === "element-mask";
  if (node.kind === "map" || (node.kind === "list") !== flags) {
    reader.report(node.at, `${name}: ${flags ? "a list" : "a single value"} goes here`);
  } else if (node.kind === "list") {
    const texts = node.items.map(textOf);
    const wrong = texts.find((text) => option.values?.includes(text) === false);
    if (wrong === undefined) option.value = texts.toSorted();
    else reader.report(node.at, wrongValue(name, wrong, option.values ?? []));
  } else if (option.type === "bool") {
    const entries = new Map([[name, { at: node.at, value: node }]]);
    option.value = reader.boolean({ kind: "map", at: node.at, entries }, name, generation === "2") ?? option.value;
  } else if (option.values?.includes(node.text) === true) option.value = node.text;
  else reader.report(node.at, wrongValue(name, node.text, option.values ?? []));
}

function wrongValue(name: string, text: string, values: readonly string[]): string {
  return `${name}: ${JSON.stringify(text)} is none of ${values.join(", ")}${didYouMean(text, values)}`;
}

/** What the command line says: flags are divided by commas there. */
function nodeOf({ type }: Option, name: string, text: string): Node {
  const at = `--option ${name}`;
  if (type !== "flags" && type !== "element-mask") return { kind: "scalar", at, text };
  const items = text.replaceAll(/\s/g, "").split(",");
  return { kind: "list", at, items: items.map((item) => ({ kind: "scalar", at, text: item })) } satisfies ListNode;
}

function textOf(node: Node): string {
  return node.kind === "scalar" ? node.text.trim() : "";
}
