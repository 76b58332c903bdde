/** A message of the log, as the JSON line has it. */
export interface LogRecord {
  readonly level: string;
  /** ISO 8601. */
  readonly time: string;
  readonly msg?: string;
  readonly err?: { readonly message?: string; readonly stack?: string };
  readonly [field: string]: unknown;
}

/** `12:34:56 warn  message  field=value`, and below it the stack of an error. Control characters are made visible. */
export function showRecord({ level, time, msg, err, ...fields }: LogRecord): string {
  const head = `${time.slice(11, 19)} ${level.padEnd(5)} ${printable(msg ?? "")}`;
  const shown = Object.entries(fields).map(([name, value]) => ` ${name}=${show(value)}`);
  const stack =
    err === undefined ? "" : `\n  ${(err.stack ?? err.message ?? "").split("\n").map(printable).join("\n  ")}`;
  return `${head}${shown.length === 0 ? "" : ` ${shown.join("")}`}${stack}\n`;
}

function show(value: unknown): string {
  if (typeof value === "string" && /^[^\s"]+$/.test(value)) return printable(value);
  return printable(JSON.stringify(value) ?? String(value));
}

/** What came from outside must not steer the terminal. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
