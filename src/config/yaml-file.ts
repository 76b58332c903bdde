import { closeSync, openSync, readSync } from "node:fs";
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
  type YAMLParseError,
} from "yaml";
import { type Path, quote } from "./check.ts";
import { type Problem, showProblem } from "./problem.ts";

/** A file that was read: what it says, each word and number as the text that stands there, and where. */
export interface YamlFile {
  readonly path: string;
  readonly content: Readonly<Record<string, unknown>>;
  /** `FILE:LINE:COLUMN` of a value, or of its key; of the nearest value around it where it has no place of its own. */
  position(path: Path, ofKey?: boolean): string;
}

/** A thousand times a long configuration. */
const maxFileBytes = 1 << 20;

/** Values that a file may have by YAML's aliases: enough for shared TLS blocks, too few to eat up memory. */
const maxAliases = 100;

/** Reads a YAML file that holds a mapping; or says what keeps it from that. `origin` is where the path was said. */
export function readYamlFile(path: string, origin: string): YamlFile | readonly Problem[] {
  try {
    const text = readBounded(path);
    if (text !== undefined) return parseYaml(path, text);
    return [{ origin, message: `${path} is larger than ${maxFileBytes} bytes` }];
  } catch (error) {
    return [{ origin, message: `${path} cannot be read: ${reason(error as NodeJS.ErrnoException)}` }];
  }
}

/** `undefined` for what is too large, which a pipe or a device tells only in the end. */
function readBounded(path: string): string | undefined {
  const fd = openSync(path, "r");
  try {
    const bytes = Buffer.allocUnsafe(maxFileBytes + 1);
    let length = 0;
    for (let got = -1; got !== 0 && length < bytes.length; length += got) {
      got = readSync(fd, bytes, length, bytes.length - length, null);
    }
    return length > maxFileBytes ? undefined : bytes.toString("utf8", 0, length);
  } finally {
    closeSync(fd);
  }
}

export function parseYaml(path: string, text: string): YamlFile | readonly Problem[] {
  const lines = new LineCounter();
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${path}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
  };
  let document: Document;
  let content: unknown;
  try {
    document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: "error", schema: "failsafe" });
    const faults = document.errors;
    if (faults.length > 0) return faultsOf(faults, place);
    content = document.toJS({ maxAliasCount: maxAliases });
  } catch (error) {
    // Too many aliases, or brackets within brackets until the parser's stack ends.
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

/** The faults that the parser finds, each once; what is nested too deeply for it has a fault at every level, of which none says more. */
function faultsOf(faults: readonly YAMLParseError[], place: (offset: number) => string): Problem[] {
  const tooDeep = faults.find(({ code }) => code === "RESOURCE_EXHAUSTION");
  if (tooDeep !== undefined) return [{ origin: place(tooDeep.pos[0]), message: "this is nested too deeply" }];
  const seen = new Map<string, Problem>();
  for (const { pos, message } of faults) {
    const problem = { origin: place(pos[0]), message: oneLine(message) };
    seen.set(showProblem(problem), problem);
  }
  return [...seen.values()];
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

function oneLine(message: string): string {
  return message.replaceAll(/\s+/g, " ").trim();
}

function reason({ code, message }: NodeJS.ErrnoException): string {
  if (code === "ENOENT") return "there is no such file";
  if (code === "EACCES") return "it is not readable for this user";
  if (code === "EISDIR") return "it is a directory";
  return message;
}
