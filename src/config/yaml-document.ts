import { closeSync, openSync, readSync } from "node:fs";
import { type Document, LineCounter, parseDocument, type YAMLParseError } from "yaml";
import { type Problem, showProblem } from "./problem.ts";

/** A YAML document, each word and number the text that stands there. */
export interface ParsedDocument {
  readonly document: Document;
  /** `FILE:LINE:COLUMN` of an offset, both counted from 1. */
  place(offset: number): string;
}

/** A thousand times a long configuration. */
const maxFileBytes = 1 << 20;

/** Values that a file may have by YAML's aliases: enough for shared TLS blocks, too few to eat up memory. */
export const maxAliases = 100;

/** The text of a file; or what keeps it from being read. `origin` is where the path was said. */
export function readYamlText(path: string, origin: string): string | readonly Problem[] {
  try {
    const text = readBounded(path);
    return text ?? [{ origin, message: `${path} is larger than ${maxFileBytes} bytes` }];
  } catch (error) {
    return [{ origin, message: `${path} cannot be read: ${reason(error as NodeJS.ErrnoException)}` }];
  }
}

/** `undefined` for what is too large, which a pipe or a device tells only in the end. */
function readBounded(path: string): string | undefined {
  const fd = openSync(path, "r");
  try {
    const bytes = Buffer.allocUnsafe(maxFileBytes + 1);
    let length = 0;
    for (let got = -1; got !== 0 && length < bytes.length; length += got) {
      got = readSync(fd, bytes, length, bytes.length - length, null);
    }
    return length > maxFileBytes ? undefined : bytes.toString("utf8", 0, length);
  } finally {
    closeSync(fd);
  }
}

/** Parses a text; or gives everything that the parser finds wrong with it. */
export function parseDocumentOf(path: string, text: string): ParsedDocument | readonly Problem[] {
  const lines = new LineCounter();
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${path}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
  };
  try {
    const options = { lineCounter: lines, prettyErrors: false, logLevel: "error", schema: "failsafe" } as const;
    const document = parseDocument(text, options);
    return document.errors.length > 0 ? faultsOf(document.errors, place) : { document, place };
  } catch (error) {
    // Brackets within brackets until the parser's stack ends.
    return [{ origin: place(0), message: `this cannot be read as YAML: ${oneLine((error as Error).message)}` }];
  }
}

/** The faults that the parser finds, each once; what is nested too deeply for it has a fault at every level, of which none says more. */
function faultsOf(faults: readonly YAMLParseError[], place: (offset: number) => string): Problem[] {
  const tooDeep = faults.find(({ code }) => code === "RESOURCE_EXHAUSTION");
  if (tooDeep !== undefined) return [{ origin: place(tooDeep.pos[0]), message: "this is nested too deeply" }];
  const seen = new Map<string, Problem>();
  for (const { pos, message } of faults) {
    const problem = { origin: place(pos[0]), message: oneLine(message) };
    seen.set(showProblem(problem), problem);
  }
  return [...seen.values()];
}

export function oneLine(message: string): string {
  return message.replaceAll(/\s+/g, " ").trim();
}

function reason({ code, message }: NodeJS.ErrnoException): string {
  if (code === "ENOENT") return "there is no such file";
  if (code === "EACCES") return "it is not readable for this user";
  if (code === "EISDIR") return "it is a directory";
  return message;
}
