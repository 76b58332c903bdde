import { StillageError } from "../base/errors.ts";

/** A token as its file has it. */
export interface TokenEntry {
  /** As rules and logs call it. */
  readonly name: string;
  /** SHA-256 of the token, in lower-case hex. */
  readonly sha256: string;
  /** Milliseconds since 1970. */
  readonly created: number;
  /** When it stops being good; `undefined` for never. */
  readonly expires: number | undefined;
}

/** Letters, digits and some signs: names stand in logs, rules and command lines without quotes. */
const validName = /^[A-Za-z0-9][A-Za-z0-9._@/-]{0,99}$/;

const line = /^(\S+) sha256:([0-9a-f]{64}) (\S+) (\S+)$/;

const opening = "# Tokens of Stillage: NAME sha256:HASH CREATED EXPIRES. Changed by `stillage token`.\n";

export function isTokenName(text: string): boolean {
  return validName.test(text);
}

/** Reads the text of a token file. Errors: `failed-precondition`, naming file and line. */
export function parseTokens(text: string, path: string): TokenEntry[] {
  const entries: TokenEntry[] = [];
  const names = new Set<string>();
  for (const [i, each] of text.split("\n").entries()) {
    if (each.trim() === "" || each.startsWith("#")) continue;
    const entry = parseLine(each.trimEnd());
    if (entry === undefined) {
      throw new StillageError("failed-precondition", `${path}:${i + 1}: this is not NAME sha256:HASH CREATED EXPIRES`, {
        hint: "`stillage token` writes this file; take the line out, or restore it",
      });
    }
    if (names.has(entry.name)) {
      throw new StillageError("failed-precondition", `${path}:${i + 1}: there is another token ${entry.name} above`);
    }
    names.add(entry.name);
    entries.push(entry);
  }
  return entries;
}

export function showTokens(entries: readonly TokenEntry[]): string {
  return opening + entries.map(showLine).join("");
}

function showLine({ name, sha256, created, expires }: TokenEntry): string {
  return `${name} sha256:${sha256} ${time(created)} ${expires === undefined ? "never" : time(expires)}\n`;
}

function parseLine(text: string): TokenEntry | undefined {
  const [, name = "", sha256 = "", from = "", until = ""] = line.exec(text) ?? [];
  const created = Date.parse(from);
  const expires = until === "never" ? undefined : Date.parse(until);
  if (!isTokenName(name) || Number.isNaN(created) || Number.isNaN(expires)) return undefined;
  return { name, sha256, created, expires };
}

/** ISO 8601 with whole seconds. */
function time(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+/, "");
}
