import type { Command } from "commander";
import { readTokens } from "../access/token-file.ts";
import type { TokenEntry } from "../access/token-list.ts";
import { rightsText } from "../access/token-rights.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { addUse } from "./command-use.ts";
import { newCommand } from "./new-command.ts";
import { tokenAction } from "./token-settings.ts";

/** `stillage token list`: a table for people, and lines divided by tabs in a pipe. */
export function tokenListCommand(end: (status: number) => void): Command {
  const command = newCommand("list", "stillage")
    .description("List the tokens, and what each may do beside what everyone may")
    .option("--json", "Print JSON");
  addUse(command, {
    examples: [{ says: "Who may what", run: "stillage token list --access /etc/stillage/access.yaml" }],
    see: "docs/ACCESS.md",
  });
  return tokenAction(command, end, async ({ tokens, access }) => {
    const rows = (await readTokens(tokens)).map((entry) =>
      rowOf(entry, rightsText(access.rules, entry.name), systemClock),
    );
    if (command.getOptionValue("json") === true) {
      process.stdout.write(`${JSON.stringify(rows, undefined, 2)}\n`);
    } else process.stdout.write(process.stdout.isTTY ? table(rows) : lines(rows));
  });
}

interface Row {
  readonly name: string;
  /** ISO 8601. */
  readonly created: string;
  readonly expires: string | null;
  readonly expired: boolean;
  readonly rights: string;
}

function rowOf({ name, created, expires }: TokenEntry, rights: string, clock: Clock): Row {
  return {
    name,
    created: new Date(created).toISOString(),
    expires: expires === undefined ? null : new Date(expires).toISOString(),
    expired: expires !== undefined && expires <= clock(),
    rights,
  };
}

function cells({ name, created, expires, expired, rights }: Row): string[] {
  const until = expires?.slice(0, 10) ?? "never";
  return [name, created.slice(0, 10), expired ? `${until} (expired)` : until, rights || "none"];
}

function lines(rows: readonly Row[]): string {
  return rows.map((row) => `${cells(row).join("\t")}\n`).join("");
}

function table(rows: readonly Row[]): string {
  const all = [["NAME", "CREATED", "EXPIRES", "RIGHTS"], ...rows.map(cells)];
  const widths = [0, 1, 2].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) => `${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  ")}\n`).join("");
}
