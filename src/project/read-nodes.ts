import { type Alias, isAlias, isMap, isNode, isScalar, isSeq, type Node as YamlNode } from "yaml";
import type { Problem } from "../config/problem.ts";
import { maxAliases, oneLine, type ParsedDocument, parseDocumentOf, readYamlText } from "../config/yaml-document.ts";
import type { Entry, MapNode, Node } from "./node.ts";

/** Reads one of BuildStream's files, which holds a mapping. BuildStream 1 lets a value be said once and meant again (`&name`, `*name`), BuildStream 2 does not. */
export function readNodes(path: string, origin: string, aliases: boolean): MapNode | readonly Problem[] {
  const text = readYamlText(path, origin);
  return typeof text === "string" ? parseNodes(path, text, aliases) : text;
}

export function parseNodes(path: string, text: string, aliases: boolean): MapNode | readonly Problem[] {
  const parsed = parseDocumentOf(path, text);
  if (!("document" in parsed)) return parsed;
  const { document, place } = parsed;
  const { contents } = document;
  if (contents === null || (isScalar(contents) && (contents.value === null || contents.value === ""))) {
    return { kind: "map", at: place(0), entries: new Map() };
  }
  const tooMany = aliases ? aliasProblem(parsed) : undefined;
  if (tooMany !== undefined) return [tooMany];
  const problems: Problem[] = [];
  const root = new Converter(parsed, aliases, problems).convert(contents);
  if (root !== undefined && root.kind !== "map") {
    problems.push({ origin: root.at, message: "this is not a mapping of settings" });
  }
  return problems.length === 0 && root?.kind === "map" ? root : problems;
}

/** What YAML's aliases make of it can be too much to walk through. */
function aliasProblem({ document, place }: ParsedDocument): Problem | undefined {
  try {
    document.toJS({ maxAliasCount: maxAliases });
    return undefined;
  } catch (error) {
    return { origin: place(0), message: `this cannot be read as YAML: ${oneLine((error as Error).message)}` };
  }
}

class Converter {
  readonly #parsed: ParsedDocument;
  readonly #aliases: boolean;
  readonly #problems: Problem[];
  /** Those that are being followed: one that leads to itself has no end. */
  readonly #followed = new Set<YamlNode>();

  constructor(parsed: ParsedDocument, aliases: boolean, problems: Problem[]) {
    this.#parsed = parsed;
    this.#aliases = aliases;
    this.#problems = problems;
  }

  /** `undefined` where a problem was reported. */
  convert(node: YamlNode): Node | undefined {
    const at = this.#place(node);
    if (isAlias(node)) {
      return this.#follow(node, at);
    }
    if (isScalar(node)) return { kind: "scalar", at, text: String(node.value ?? "") };
    if (isSeq(node)) {
      const items = node.items.map((item) => this.#child(item, at));
      return { kind: "list", at, items: items.filter((item) => item !== undefined) };
    }
    if (!isMap(node)) return this.#refuse(at, "this is neither a value, a list nor a mapping");
    const entries = new Map<string, Entry>();
    for (const { key, value } of node.items) {
      const keyAt = isNode(key) ? this.#place(key) : at;
      if (!isScalar(key)) {
        this.#refuse(keyAt, "a key has to be a single word");
        continue;
      }
      const child = this.#child(value, keyAt);
      if (child !== undefined) entries.set(String(key.value ?? ""), { at: keyAt, value: child });
    }
    return { kind: "map", at, entries };
  }

  #follow(alias: Alias, at: string): Node | undefined {
    if (!this.#aliases) {
      return this.#refuse(at, `*${alias.source} is an alias, which BuildStream 2 does not know; say the value itself`);
    }
    const meant = alias.resolve(this.#parsed.document);
    if (meant === undefined || this.#followed.has(meant)) {
      return this.#refuse(at, `*${alias.source} leads to ${meant === undefined ? "nothing" : "itself"}`);
    }
    this.#followed.add(meant);
    const node = this.convert(meant);
    this.#followed.delete(meant);
    return node;
  }

  /** A value that is not there at all, such as behind `url:`, is at its key. */
  #child(value: unknown, around: string): Node | undefined {
    return isNode(value) ? this.convert(value) : { kind: "scalar", at: around, text: "" };
  }

  #place(node: YamlNode): string {
    return this.#parsed.place(node.range?.[0] ?? 0);
  }

  #refuse(origin: string, message: string): undefined {
    this.#problems.push({ origin, message });
  }
}
