import { writeSync } from "node:fs";
import { destination, type Logger, pino, stdTimeFunctions } from "pino";
import { showRecord } from "./log-text.ts";

export interface LogOptions {
  readonly level: "error" | "warn" | "info" | "debug";
  readonly format: "json" | "text";
  /** The file descriptor that is written to; 2 is standard error. */
  readonly fd: number;
}

/** A log that has written each message before it returns, so that the last ones before an end are there. A reader that has gone is no error. */
export function openLog({ level, format, fd }: LogOptions): Logger {
  const options = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  if (format === "text") return pino(options, { write: (line) => writeText(fd, showRecord(JSON.parse(line))) });
  const lines = destination({ fd, sync: true });
  lines.on("error", () => {});
  return pino(options, lines);
}

function writeText(fd: number, text: string): void {
  try {
    writeSync(fd, text);
  } catch {
    // The terminal has gone; there is nobody to tell.
  }
}
