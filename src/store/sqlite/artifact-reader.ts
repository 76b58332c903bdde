import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import type { Clock } from "../../base/clock.ts";
import { LruMap } from "../../base/lru-map.ts";
import {
  type ArtifactName,
  type ArtifactQuery,
  type ArtifactRefs,
  type ElementAndKey,
  type FoundArtifact,
  type Generation,
  type ListedArtifact,
  maxKeys,
} from "../artifact-refs.ts";
import type { Space } from "../ref-store.ts";
import {
  artifactConditions,
  behind,
  type Condition,
  elementConditions,
  keyBegins,
  orders,
  searchedName,
} from "./artifact-filter.ts";
import { decodeContent } from "./ref-change.ts";
import { type RefColumns, refColumns, refOfRow } from "./ref-reader.ts";
import { fromSqlite } from "./sqlite-error.ts";

const columns = "a.id, a.instance, e.project, e.element, a.generation, a.content, a.pushed, a.put_by";

/** In the order of the puts: within one, the strong key comes first. */
const keyOrder = "stored, place, id";

type Refs = Pick<FoundArtifact, "ref" | "used" | "expires" | "pinned">;

/** That a ref `k` is one of an artifact's and has not expired. */
const ofArtifact = "k.artifact = ? AND (k.expires IS NULL OR k.expires > ?)";

type Row = [
  id: number,
  instance: string,
  project: string,
  element: string,
  generation: Generation,
  content: string,
  pushed: number,
  by: string | null,
];

/**
 * Where no more artifacts than this can be meant, they are gathered and sorted; else the list is read in its order until a page is full. What
 * is rare is found at once so, and what is frequent soon.
 */
const maxGathered = 2000;

/** Statements that are kept: each combination of conditions is one. */
const maxStatements = 100;

/** Reads the list of artifacts (`artifact-tables.ts`). */
export class ArtifactReader implements ArtifactRefs {
  private readonly database: DatabaseSync;
  private readonly clock: Clock;
  private readonly statements = new LruMap<string, StatementSync>(maxStatements);

  constructor(database: DatabaseSync, clock: Clock) {
    this.database = database;
    this.clock = clock;
  }

  list(query: ArtifactQuery): ListedArtifact[] {
    return this.reading(() => {
      const now = this.clock();
      const gathered = this.gather(query);
      if (gathered?.length === 0) return [];
      const { instance, sort, limit } = query;
      const conditions: Condition[] = [
        // Where the ids are known, the plus sign keeps SQLite from going through all artifacts in order.
        { sql: `${sort === "name" ? "e" : gathered === undefined ? "a" : "+a"}.instance = ?`, values: [instance] },
        ...artifactConditions(query, now),
        ...behind(query),
      ];
      if (gathered !== undefined)
        conditions.push({ sql: "a.id IN (SELECT value FROM json_each(?))", values: [JSON.stringify(gathered)] });
      const tables = sort === "name" ? "elements e CROSS JOIN artifacts a" : "artifacts a CROSS JOIN elements e";
      const rows = this.all<Row>(
        `SELECT ${columns} FROM ${tables} ON e.id = a.element WHERE ${conditions.map(({ sql }) => sql).join(" AND ")}
         ORDER BY ${orders[sort]} LIMIT ?`,
        [...conditions.flatMap(({ values }) => values), limit],
      );
      return rows.map((row) => this.listed(row, now));
    });
  }

  find(instance: string, name: ArtifactName): FoundArtifact | undefined {
    return this.reading(() => {
      const now = this.clock();
      const [row] = this.named<Row>(columns, instance, name, now);
      const refs = row && this.refsOf(row[0], now);
      return refs && { ...this.listed(row, now), ...refs };
    });
  }

  projectOf(instance: string, name: ElementAndKey): string | undefined {
    return this.reading(() => this.named<[string]>("e.project", instance, name, this.clock())[0]?.[0]);
  }

  count(instance: string): number {
    const [row] = this.reading(() =>
      this.all<[number]>("SELECT count(*) FROM artifacts WHERE instance = ?", [instance]),
    );
    return row?.[0] ?? 0;
  }

  /** The artifacts that a query can mean, where they are few; `undefined` where they are not, or cannot be told. */
  private gather(query: ArtifactQuery): number[] | undefined {
    const { instance, key, search } = query;
    const ofKey = key ? this.withKey(instance, key) : undefined;
    if (ofKey !== undefined || search === undefined)
      return ofKey ?? this.ofElements(instance, elementConditions(query));
    const byName = this.ofElements(instance, [...elementConditions(query), searchedName(search)]);
    const byKey = search.key === undefined ? [] : this.withKey(instance, search.key);
    return byName && byKey && [...byName, ...byKey];
  }

  private withKey(instance: string, prefix: string): number[] | undefined {
    const { sql, values } = keyBegins(prefix);
    const distinct = `SELECT DISTINCT k.artifact FROM refs k WHERE k.instance = ? AND ${sql} LIMIT ?`;
    return few(this.all<[number]>(distinct, [instance, ...values, maxGathered + 1]));
  }

  private ofElements(instance: string, conditions: readonly Condition[]): number[] | undefined {
    if (conditions.length === 0) return undefined;
    const sql = `SELECT a.id FROM elements e CROSS JOIN artifacts a ON a.element = e.id
      WHERE e.instance = ? AND ${conditions.map((each) => each.sql).join(" AND ")} LIMIT ?`;
    const values = [instance, ...conditions.flatMap((each) => each.values), maxGathered + 1];
    return few(this.all<[number]>(sql, values));
  }

  /** Columns of the artifacts that have a name, the one pushed last, where there is one. */
  private named<R>(selected: string, instance: string, { project, element, key }: ElementAndKey, now: number): R[] {
    return this.all<R>(
      `SELECT ${selected} FROM refs k JOIN artifacts a ON a.id = k.artifact JOIN elements e ON e.id = a.element
       WHERE k.instance = ?1 AND substr(k.key, 1, 8) = substr(?2, 1, 8) AND k.key = ?2 AND (k.expires IS NULL OR k.expires > ?3)
         AND e.element = ?4 ${project === undefined ? "" : "AND e.project = ?5"}
       ORDER BY a.pushed DESC, a.id DESC LIMIT 1`,
      [instance, key, now, element, ...(project === undefined ? [] : [project])],
    );
  }

  private listed([id, instance, project, element, generation, content, pushed, by]: Row, now: number): ListedArtifact {
    const sql = `SELECT key FROM refs k WHERE ${ofArtifact} ORDER BY ${keyOrder} LIMIT ?`;
    const keys = this.all<[string]>(sql, [id, now, maxKeys + 1]).map(([key]) => key);
    return {
      ...{ id, instance, project, element, generation, pushed },
      ...{ keys: keys.slice(0, maxKeys), moreKeys: keys.length > maxKeys },
      content: decodeContent(content),
      by: by ?? undefined,
    };
  }

  /** `undefined` where the last ref has gone since the artifact was read. */
  private refsOf(artifact: number, now: number): Refs | undefined {
    const first = `SELECT ${refColumns}, space, instance, name FROM refs k WHERE ${ofArtifact} ORDER BY ${keyOrder} LIMIT 1`;
    const [row] = this.all<[...RefColumns, Space, string, string]>(first, [artifact, now]);
    if (row === undefined) return undefined;
    const [space, instance, name] = row.slice(-3) as [Space, string, string];
    const ref = refOfRow({ space, instance, name }, row.slice(0, -3) as unknown as RefColumns);
    const sum = `SELECT max(used), max(pinned), max(expires), count(*) = count(expires) FROM refs k WHERE ${ofArtifact}`;
    const [[used, pinned, expires, allExpire] = [ref.used, 0, 0, 0]] = this.all<[number, number, number, number]>(sum, [
      artifact,
      now,
    ]);
    return { ref, used, pinned: pinned !== 0, expires: allExpire !== 0 ? expires : undefined };
  }

  private all<R>(sql: string, values: readonly SQLInputValue[]): R[] {
    let statement = this.statements.get(sql);
    if (statement === undefined) {
      statement = this.database.prepare(sql);
      statement.setReturnArrays(true);
      this.statements.set(sql, statement);
    }
    return statement.all(...values) as unknown as R[];
  }

  private reading<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw fromSqlite(error, "cannot read the list of artifacts");
    }
  }
}

function few(rows: readonly [number][]): number[] | undefined {
  return rows.length <= maxGathered ? rows.map(([id]) => id) : undefined;
}
