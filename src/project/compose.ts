import type { Problem } from "../config/problem.ts";
import { type Entry, kindName, type ListNode, type MapNode, type Node, valueAt, withEntries } from "./node.ts";

/** What a mapping can say in place of a list: put mine instead, before or behind what is there. */
export const directives = ["(=)", "(<)", "(>)"] as const;
type Directive = (typeof directives)[number];

/** Lists of conditions are all kept when they meet. */
const conditionKey = "(?)";

/**
 * Lays one mapping over another, as BuildStream does for includes and conditions: mappings are merged, values and lists replaced, and directives change the list that is
 * there. What cannot be put together is reported, and the upper one wins.
 */
export function compose(upper: MapNode, lower: MapNode, problems: Problem[]): MapNode {
  const entries = new Map(lower.entries);
  for (const [key, entry] of upper.entries) {
    const below = entries.get(key)?.value;
    entries.set(key, { at: entry.at, value: composeValue(key, entry.value, below, problems) });
  }
  return withEntries(upper, entries);
}

function composeValue(key: string, upper: Node, lower: Node | undefined, problems: Problem[]): Node {
  const asDirectives = upper.kind === "map" && isDirectives(upper, problems);
  if (lower === undefined)
    return upper.kind === "map" && !asDirectives ? compose(upper, empty(upper), problems) : upper;
  if (upper.kind === "map" && asDirectives) {
    if (lower.kind === "list") return changeList(upper, lower);
    if (lower.kind === "map" && isDirectives(lower, problems)) return mergeDirectives(upper, lower);
  } else if (upper.kind === "list") {
    if (lower.kind === "list" && key === conditionKey) return { ...lower, items: [...lower.items, ...upper.items] };
    if (lower.kind === "list" || (lower.kind === "map" && isDirectives(lower, problems))) return upper;
  } else if (upper.kind === lower.kind) {
    return upper.kind === "map" && lower.kind === "map" ? compose(upper, lower, problems) : upper;
  }
  const what = asDirectives ? "what changes a list" : kindName(upper);
  const message = `${key}: ${what} cannot take the place of ${kindName(lower)} at ${lower.at}`;
  problems.push({ origin: upper.at, message });
  return upper;
}

function empty(map: MapNode): MapNode {
  return withEntries(map, []);
}

function isDirectives(map: MapNode, problems: Problem[]): boolean {
  const keys = [...map.entries.keys()];
  const found = keys.filter((key) => (directives as readonly string[]).includes(key));
  if (found.length === 0) return false;
  if (found.length === keys.length) return true;
  problems.push({ origin: map.at, message: `${found.join(" and ")} cannot stand beside other keys` });
  return false;
}

function itemsOf(map: MapNode, directive: Directive): readonly Node[] | undefined {
  const value = valueAt(map, directive);
  return value?.kind === "list" ? value.items : undefined;
}

function changeList(map: MapNode, list: ListNode): ListNode {
  const middle = itemsOf(map, "(=)") ?? list.items;
  return { ...list, items: [...(itemsOf(map, "(<)") ?? []), ...middle, ...(itemsOf(map, "(>)") ?? [])] };
}

function mergeDirectives(upper: MapNode, lower: MapNode): MapNode {
  const clobbered = itemsOf(upper, "(=)");
  const below = (directive: Directive): readonly Node[] =>
    clobbered === undefined ? (itemsOf(lower, directive) ?? []) : [];
  const merged: [Directive, readonly Node[]][] = [
    ["(<)", [...(itemsOf(upper, "(<)") ?? []), ...below("(<)")]],
    ["(>)", [...below("(>)"), ...(itemsOf(upper, "(>)") ?? [])]],
  ];
  const middle = clobbered ?? itemsOf(lower, "(=)");
  if (middle !== undefined) merged.push(["(=)", middle]);
  return withEntries(
    upper,
    merged.map(([key, items]): [string, Entry] => [
      key,
      { at: upper.at, value: { kind: "list", at: upper.at, items } },
    ]),
  );
}
