import type { SQLInputValue } from "node:sqlite";
import type { ArtifactQuery, ArtifactSearch, ArtifactSort } from "../artifact-refs.ts";
import { hasWildcard } from "../glob.ts";

/** A condition, and the values for its question marks. */
export interface Condition {
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
}

/** What a query demands of an element `e`. */
export function elementConditions({ project, elements }: ArtifactQuery): Condition[] {
  const conditions: Condition[] = [];
  if (project !== undefined) conditions.push(globbed("e.project", project));
  if (elements !== undefined) conditions.push(anyOf(elements.map((each) => globbed("e.element", each))));
  return conditions;
}

/** What a query demands at a time of an artifact `a` of an element `e`, but for its instance. */
export function artifactConditions(query: ArtifactQuery, now: number): Condition[] {
  const { key, search } = query;
  const conditions = [...elementConditions(query), valid("a", now)];
  if (key !== undefined) conditions.push(keyed(key, now));
  if (search !== undefined) {
    const named = searchedName(search);
    conditions.push(search.key === undefined ? named : anyOf([named, keyed(search.key, now)]));
  }
  return conditions;
}

/** That a ref or an artifact has not expired. */
export function valid(table: string, now: number): Condition {
  return { sql: `(${table}.expires IS NULL OR ${table}.expires > ?)`, values: [now] };
}

/** That the name of an element `e` has one of the texts searched for. */
export function searchedName({ texts }: ArtifactSearch): Condition {
  return anyOf(
    texts.map((text) => ({ sql: "e.project || '/' || e.element LIKE ? ESCAPE '\\'", values: [like(text)] })),
  );
}

export const orders: Readonly<Record<ArtifactSort, string>> = {
  newest: "a.pushed DESC, a.id DESC",
  oldest: "a.pushed, a.id",
  name: "e.project, e.element, a.pushed DESC, a.id DESC",
};

/** That an artifact comes behind a place of a listing. */
export function behind({ sort, after }: ArtifactQuery): Condition[] {
  if (after === undefined) return [];
  const { project, element, pushed, id } = after;
  if (sort === "oldest") return [{ sql: "(a.pushed, a.id) > (?, ?)", values: [pushed, id] }];
  const earlier = { sql: "(a.pushed, a.id) < (?, ?)", values: [pushed, id] };
  if (sort === "newest") return [earlier];
  return [
    { sql: "(e.project, e.element) >= (?, ?)", values: [project, element] },
    anyOf([{ sql: "(e.project, e.element) > (?, ?)", values: [project, element] }, earlier]),
  ];
}

/** The first text behind all that begin with `prefix`; what follows the last character there is counts for nothing in a key. */
function endOfPrefix(prefix: string): string {
  return `${prefix}\u{10ffff}`;
}

/**
 * That the key of a ref `k` begins so. Eight characters of keys are indexed: they tell nearly all apart, and what is put at random places
 * of an index costs a push the more, the larger that is.
 */
export function keyBegins(prefix: string): Condition {
  const start = [...prefix].slice(0, 8).join("");
  return {
    sql: "substr(k.key, 1, 8) >= ? AND substr(k.key, 1, 8) < ? AND k.key >= ? AND k.key < ?",
    values: [start, endOfPrefix(start), prefix, endOfPrefix(prefix)],
  };
}

function keyed(prefix: string, now: number): Condition {
  const { sql, values } = valid("k", now);
  return {
    sql: `EXISTS (SELECT 1 FROM refs k WHERE k.artifact = a.id AND k.key >= ? AND k.key < ? AND ${sql})`,
    values: [prefix, endOfPrefix(prefix), ...values],
  };
}

function globbed(column: string, glob: string): Condition {
  if (!hasWildcard(glob)) return { sql: `${column} = ?`, values: [glob] };
  return { sql: `${column} GLOB ?`, values: [glob.replaceAll("[", "[[]")] };
}

function like(text: string): string {
  const pattern = text
    .replace(/[\\%_]/g, "\\$&")
    .replaceAll("*", "%")
    .replaceAll("?", "_");
  return `%${pattern}%`;
}

function anyOf(conditions: readonly Condition[]): Condition {
  if (conditions.length === 0) return { sql: "FALSE", values: [] };
  return {
    sql: `(${conditions.map(({ sql }) => sql).join(" OR ")})`,
    values: conditions.flatMap(({ values }) => values),
  };
}
