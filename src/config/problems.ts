import { StillageError } from "../base/errors.ts";
import type { Origin } from "./config-node.ts";

/** Gathers what is wrong with a configuration, so that all of it is said at once. */
export class Problems {
  private readonly lines: string[] = [];

  add(origin: Pick<Origin, "where">, sentence: string): void {
    const line = `${origin.where}: ${sentence}`;
    if (!this.lines.includes(line)) this.lines.push(line);
  }

  /** Gives what `parse` gives; the message of an `invalid` error becomes a problem. */
  attempt<T>(origin: Origin, parse: () => T): { readonly value: T } | undefined {
    try {
      return { value: parse() };
    } catch (error) {
      if (!(error instanceof StillageError) || error.code !== "invalid") throw error;
      this.add(origin, error.message);
      return undefined;
    }
  }

  get none(): boolean {
    return this.lines.length === 0;
  }

  /** Errors: `invalid` with a line for each problem, where there are any. */
  throwIfAny(): void {
    if (!this.none) throw new StillageError("invalid", this.lines.join("\n"));
  }
}
