import type { Problem } from "../config/problem.ts";
import { compose } from "./compose.ts";
import { conditionHolds, ExpressionError, type Value } from "./expression.ts";
import { type Entry, kindName, type MapNode, type Node, valueAt, withEntries, withoutKey } from "./node.ts";

const conditionKey = "(?)";
const assertionKey = "(!)";

/** Conditions within conditions end before that. */
const maxRounds = 100;

/** What conditions of a project are decided with. */
export interface ConditionContext {
  readonly options: ReadonlyMap<string, Value>;
  /** Keys of the file that no condition may set. */
  readonly restricted: readonly string[];
  readonly problems: Problem[];
}

/**
 * Puts what conditions (`(?)`) say where they hold in place of them, and reports assertions (`(!)`) that this brings about. Of the file's keys only `relevant` ones are gone
 * through, and conditions that touch none of them are not decided.
 */
export function applyConditions(root: MapNode, relevant: readonly string[], context: ConditionContext): MapNode {
  const touches = (fragment: MapNode): boolean =>
    [...relevant, conditionKey, assertionKey].some((key) => fragment.entries.has(key));
  const decided = decide(root, touches, context.restricted, context);
  const entries = [...decided.entries].map(([key, entry]): [string, Entry] => [
    key,
    relevant.includes(key) ? { ...entry, value: applyWithin(entry.value, context) } : entry,
  ]);
  return withEntries(decided, entries);
}

function applyWithin(node: Node, context: ConditionContext): Node {
  if (node.kind === "list") return { ...node, items: node.items.map((item) => applyWithin(item, context)) };
  if (node.kind === "scalar") return node;
  const decided = decide(node, () => true, [], context);
  const entries = [...decided.entries].map(([key, entry]): [string, Entry] => [
    key,
    { ...entry, value: applyWithin(entry.value, context) },
  ]);
  return withEntries(decided, entries);
}

function decide(
  map: MapNode,
  touches: (fragment: MapNode) => boolean,
  restricted: readonly string[],
  context: ConditionContext,
): MapNode {
  let result = map;
  for (let round = 0; ; round++) {
    const assertion = valueAt(result, assertionKey);
    if (assertion?.kind === "scalar") {
      context.problems.push({ origin: assertion.at, message: `the project says: ${assertion.text.trim()}` });
      return withoutKey(withoutKey(result, assertionKey), conditionKey);
    }
    const conditions = valueAt(result, conditionKey);
    if (conditions === undefined) return result;
    result = withoutKey(result, conditionKey);
    if (conditions.kind !== "list" || round > maxRounds) {
      const why = conditions.kind === "list" ? "there are too many of them" : "a list of conditions goes here";
      context.problems.push({ origin: conditions.at, message: `${conditionKey}: ${why}` });
      return result;
    }
    for (const condition of conditions.items) {
      const fragment = fragmentOf(condition, touches, restricted, context);
      if (fragment !== undefined) result = compose(fragment, result, context.problems);
    }
  }
}

/** What a condition adds; `undefined` where it does not hold. */
function fragmentOf(
  condition: Node,
  touches: (fragment: MapNode) => boolean,
  restricted: readonly string[],
  { options, problems }: ConditionContext,
): MapNode | undefined {
  const problem = (origin: string, message: string): undefined => void problems.push({ origin, message });
  const [entry, second] = condition.kind === "map" ? condition.entries : [];
  if (entry === undefined || second !== undefined) {
    return problem(condition.at, `${conditionKey}: one condition and what it adds goes here`);
  }
  const [expression, { at, value }] = entry;
  if (value.kind !== "map") return problem(value.at, `a condition adds a mapping, not ${kindName(value)}`);
  for (const key of restricted) {
    const there = value.entries.get(key);
    if (there !== undefined) problem(there.at, `${key}: no condition can set it`);
  }
  if (!touches(value)) return undefined;
  try {
    return conditionHolds(expression, options) ? value : undefined;
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return problem(at, `the condition ${JSON.stringify(expression)} cannot be decided: ${error.message}`);
  }
}
