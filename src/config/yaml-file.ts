import { type Document, isAlias, isMap, isNode, isScalar, type Node } from "yaml";
import { type Path, quote } from "./check.ts";
import type { Problem } from "./problem.ts";
import { maxAliases, oneLine, parseDocumentOf, readYamlText } from "./yaml-document.ts";

/** A file that was read: what it says, each word and number as the text that stands there, and where. */
export interface YamlFile {
  readonly path: string;
  readonly content: Readonly<Record<string, unknown>>;
  /** `FILE:LINE:COLUMN` of a value, or of its key; of the nearest value around it where it has no place of its own. */
  position(path: Path, ofKey?: boolean): string;
}

/** Reads a YAML file that holds a mapping; or says what keeps it from that. `origin` is where the path was said. */
export function readYamlFile(path: string, origin: string): YamlFile | readonly Problem[] {
  const text = readYamlText(path, origin);
  return typeof text === "string" ? parseYaml(path, text) : text;
}

export function parseYaml(path: string, text: string): YamlFile | readonly Problem[] {
  const parsed = parseDocumentOf(path, text);
  if (!("document" in parsed)) return parsed;
  const { document, place } = parsed;
  let content: unknown;
  try {
    content = document.toJS({ maxAliasCount: maxAliases });
  } catch (error) {
    return [{ origin: place(0), message: `this cannot be read as YAML: ${oneLine((error as Error).message)}` }];
  }
  if (content === null || content === "") content = {};
  if (typeof content !== "object" || Array.isArray(content)) {
    return [{ origin: place(0), message: `${quote(content)} is not a mapping of settings` }];
  }
  return {
    path,
    content: content as Record<string, unknown>,
    position: (at, ofKey = false) => place(offsetOf(document, at, ofKey)),
  };
}

/** Follows `path` as far as there are nodes and gives where the last one begins. */
function offsetOf(document: Document, path: Path, ofKey: boolean): number {
  let node: Node | null = document.contents;
  let offset = node?.range?.[0] ?? 0;
  for (const [depth, step] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document) ?? null;
    const pair = isMap(node) ? node.items.find(({ key }) => isScalar(key) && String(key.value) === step) : undefined;
    const next: unknown = isMap(node) ? pair?.value : childOf(node, step);
    const shown: unknown = ofKey && depth === path.length - 1 ? pair?.key : next;
    const keyOffset = isNode(pair?.key) ? pair.key.range?.[0] : undefined;
    offset = (isNode(shown) ? shown.range?.[0] : undefined) ?? keyOffset ?? offset;
    if (!isNode(next)) break;
    node = next;
  }
  return offset;
}

function childOf(node: Node | null, step: string | number): unknown {
  return node !== null && "items" in node && Array.isArray(node.items) ? node.items[step as number] : undefined;
}
