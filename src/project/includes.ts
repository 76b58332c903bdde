import { resolve } from "node:path";
import { isProblems } from "../config/load.ts";
import type { Problem } from "../config/problem.ts";
import { compose } from "./compose.ts";
import { type Entry, type MapNode, type Node, type ScalarNode, valueAt, withEntries, withoutKey } from "./node.ts";
import { readNodes } from "./read-nodes.ts";

const includeKey = "(@)";

/** So many includes are followed in one project: a project has tens, and each is read once. */
const maxIncludes = 1000;

/** What includes of a project are read with. */
export interface IncludeContext {
  /** Where the paths of includes are seen from. */
  readonly directory: string;
  /** Whether files may have YAML's aliases. */
  readonly aliases: boolean;
  readonly problems: Problem[];
  /** Includes that are in another project, which is not loaded. */
  readonly notes: Problem[];
  /** What was read. */
  readonly files: Set<string>;
}

/**
 * Puts a project's includes in place (`(@)`), those of a list from the last to the first, each under what is there. Of the file's keys only `relevant` ones are gone through
 * for includes deeper inside.
 */
export class Includes {
  readonly #context: IncludeContext;
  readonly #read = new Map<string, MapNode | readonly Problem[]>();
  #count = 0;

  constructor(context: IncludeContext) {
    this.#context = context;
  }

  resolve(root: MapNode, relevant: readonly string[]): MapNode {
    return this.#resolveMap(root, [], (key) => relevant.includes(key));
  }

  #resolveMap(map: MapNode, within: readonly string[], goesInto: (key: string) => boolean): MapNode {
    let result = withoutKey(map, includeKey);
    for (const include of this.#includesOf(map).toReversed()) {
      const path = resolve(this.#context.directory, include.text);
      const content = this.#readFile(include, path, within);
      if (content === undefined) continue;
      result = compose(result, this.#resolveMap(content, [...within, path], goesInto), this.#context.problems);
    }
    const entries = [...result.entries].map(([key, entry]): [string, Entry] => [
      key,
      goesInto(key) ? { ...entry, value: this.#resolveValue(entry.value, within) } : entry,
    ]);
    return withEntries(result, entries);
  }

  #resolveValue(node: Node, within: readonly string[]): Node {
    if (node.kind === "map") return this.#resolveMap(node, within, () => true);
    if (node.kind === "list") return { ...node, items: node.items.map((item) => this.#resolveValue(item, within)) };
    return node;
  }

  #includesOf(map: MapNode): readonly ScalarNode[] {
    const node = valueAt(map, includeKey);
    if (node === undefined) return [];
    const found = node.kind === "list" ? node.items : [node];
    const texts = found.filter((each) => each.kind === "scalar");
    if (texts.length < found.length) this.#problem(node.at, `${includeKey}: a path or a list of paths goes here`);
    return texts;
  }

  #readFile(include: ScalarNode, path: string, within: readonly string[]): MapNode | undefined {
    if (include.text.includes(":")) {
      const message = `${include.text} is in another project, which is not read: remotes that it may recommend are not known`;
      this.#context.notes.push({ origin: include.at, message });
      return undefined;
    }
    if (within.includes(path)) return this.#problem(include.at, `${include.text} includes itself`);
    if (++this.#count > maxIncludes) return this.#problem(include.at, `there are more than ${maxIncludes} includes`);
    let content = this.#read.get(path);
    if (content === undefined) {
      content = readNodes(path, include.at, this.#context.aliases);
      this.#read.set(path, content);
      this.#context.files.add(path);
      if (isProblems(content)) this.#context.problems.push(...content);
    }
    return isProblems(content) ? undefined : content;
  }

  #problem(origin: string, message: string): undefined {
    this.#context.problems.push({ origin, message });
  }
}
