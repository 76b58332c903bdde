import { join } from "node:path";
import { StillageError } from "../base/errors.ts";
import { LruMap } from "../base/lru-map.ts";
import { Closure } from "../cache/closure.ts";
import type { Tenant } from "../cache/tenant.ts";
import { checkRef } from "../store/ref-limits.ts";
import type { NewRef } from "../store/ref-store.ts";
import type { ImportOptions } from "./importer.ts";
import type { Intake } from "./intake.ts";
import { type FoundName, readName, readSmall } from "./name-files.ts";
import type { Beside } from "./name-kind.ts";
import type { NameCounts } from "./outcome.ts";

/** Names that are stored together: one wait for the disk before them and one for them. */
const namesAtOnce = 500;

/** Files beside names that are remembered, so that what is wrong is told once. */
const maxRemembered = 20_000;

interface ReadyName {
  readonly counts: NameCounts;
  readonly refs: readonly NewRef[];
}

/**
 * Takes names, and before each what it needs. Names are stored some hundred at a time, once their blobs are durable: a crash in between leaves
 * blobs without names, which the next run finds there.
 */
export class NameTaker {
  private readonly options: ImportOptions;
  private readonly intake: Intake;
  /** Its blobs are those of the old server, too: asking for them takes them. */
  private readonly tenant: Tenant;
  private readonly closure: Closure;
  /** Complete, and to be stored once what they need is durable. */
  private ready: ReadyName[] = [];
  /** Which those are: servers that came one after another may have files for the same. */
  private readonly waiting = new Set<string>();
  private readonly toldOf = new LruMap<string, true>(maxRemembered);

  constructor(options: ImportOptions, intake: Intake, tenant: Tenant, closure: Closure) {
    this.options = options;
    this.intake = intake;
    this.tenant = tenant;
    this.closure = closure;
  }

  /** Errors: `exhausted`; the signal's reason. */
  async take(name: FoundName): Promise<void> {
    const { old, clock, outcome } = this.options;
    const { kind, key } = name;
    const counts = outcome.namesOf(kind);
    clock.set(name.time);
    try {
      const bytes = await readName(old, name);
      const refs = await kind.read({ key, bytes, time: clock.read() }, this.tenant, this.beside);
      for (const ref of refs ?? []) checkRef(ref);
      const verdict = refs === undefined ? "incomplete" : await this.judge(refs);
      if (refs === undefined || verdict === "incomplete") counts.incomplete++;
      else if (verdict !== "complete") counts[verdict]++;
      else if (this.options.dryRun) counts.taken++;
      else this.keep({ counts, refs });
    } catch (error) {
      if (!(error instanceof StillageError) || (error.code !== "invalid" && error.code !== "not-found")) throw error;
      counts.wrong++;
      outcome.report({ path: `${old.directory}/${kind.folder}/${key}`, why: error.message });
    }
    if (this.ready.length >= namesAtOnce) await this.store();
  }

  /** Stores what is complete. */
  async store(): Promise<void> {
    await this.intake.settled();
    const { ready } = this;
    if (ready.length === 0) return;
    await this.options.refs.put(ready.flatMap(({ refs }) => refs));
    this.ready = [];
    this.waiting.clear();
    for (const { counts } of ready) counts.taken++;
  }

  /** After a failure: of the names that wait, stores those whose blobs had all been stored by then. Never rejects. */
  async salvage(): Promise<void> {
    const { blobs, removals, indexOnly, refs } = this.options;
    await this.intake.settled().catch(() => {}); // the failure is known
    try {
      const stored = new Closure(blobs, removals);
      for (const { refs: complete, counts } of this.ready) {
        if (!indexOnly && !(await stored.complete(complete.flatMap(({ roots }) => roots)))) continue;
        await refs.put(complete);
        counts.taken++;
      }
    } catch {
      // What cannot be stored now is left to the next run.
    }
  }

  private readonly beside: Beside = async (path, check) => {
    const file = join(this.options.old.directory, path);
    try {
      const bytes = await readSmall(file);
      check(bytes);
      return bytes.length > 0 ? bytes : undefined;
    } catch (error) {
      if (!(error instanceof StillageError) || (error.code !== "invalid" && error.code !== "not-found")) throw error;
      // Several names may have the same.
      if (error.code === "invalid" && this.toldOf.get(file) === undefined) {
        this.toldOf.set(file, true);
        this.options.outcome.report({ path: file, why: error.message });
      }
      return undefined;
    }
  };

  private keep(name: ReadyName): void {
    this.ready.push(name);
    for (const ref of name.refs) this.waiting.add(keyOf(ref));
  }

  private async judge(refs: readonly NewRef[]): Promise<"complete" | "there" | "newer" | "expired" | "incomplete"> {
    const now = this.options.clock.now();
    if (refs.some(({ expires }) => expires !== undefined && expires <= now)) return "expired";
    if (refs.some((ref) => this.waiting.has(keyOf(ref)))) return "newer"; // the last used came first
    for (const ref of refs) {
      const before = await this.options.refs.get(ref);
      if (before === undefined) continue;
      if (Buffer.compare(before.message, ref.message) === 0) return "there";
      if (before.stored > ref.stored) return "newer";
    }
    if (this.options.indexOnly) return "complete";
    for (const { roots } of refs) if (!(await this.closure.complete(roots))) return "incomplete";
    return "complete";
  }
}

function keyOf({ space, name }: NewRef): string {
  return `${space} ${name}`;
}
