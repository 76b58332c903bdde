/** What one of BuildStream's files says, and where: `at` is `FILE:LINE:COLUMN`. Nodes are never changed; what composes them makes new ones. */
export type Node = ScalarNode | ListNode | MapNode;

/** Words and numbers are the text that stands there; nothing is the empty text. */
export interface ScalarNode {
  readonly kind: "scalar";
  readonly at: string;
  readonly text: string;
}

/** A sequence. */
export interface ListNode {
  readonly kind: "list";
  readonly at: string;
  readonly items: readonly Node[];
}

/** What a key of a mapping leads to. */
export interface Entry {
  /** Where the key stands. */
  readonly at: string;
  readonly value: Node;
}

/** A mapping; its entries in the order in which they stand. */
export interface MapNode {
  readonly kind: "map";
  readonly at: string;
  readonly entries: ReadonlyMap<string, Entry>;
}

const kindNames = { scalar: "a single value", list: "a list", map: "a mapping" } as const;

/** As messages call it. */
export function kindName(node: Node): string {
  return node.kind === "scalar" && node.text === "" ? "nothing" : kindNames[node.kind];
}

/** What a key leads to; `undefined` where the mapping does not have it. */
export function valueAt(map: MapNode, key: string): Node | undefined {
  return map.entries.get(key)?.value;
}

/** The same mapping with other entries. */
export function withEntries(map: MapNode, entries: Iterable<readonly [string, Entry]>): MapNode {
  return { ...map, entries: new Map(entries) };
}

/** The same mapping without a key. */
export function withoutKey(map: MapNode, key: string): MapNode {
  return map.entries.has(key)
    ? withEntries(
        map,
        [...map.entries].filter(([each]) => each !== key),
      )
    : map;
}
