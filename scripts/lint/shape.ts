import { packageEntry } from "./rooms.ts";

/** The length from which a file holds more than one thing. */
const maxLines = 400;

const recursiveMkdir = /\bmkdir(?:Sync)?\([^;]*\{ recursive: true/;

/** What is wrong with a TypeScript file as such: its length, its exports. Generated code is exempt. */
export function shapeProblems(file: string, text: string): string[] {
  if (file.startsWith("src/gen/")) return [];
  const problems: string[] = [];
  const lines = text.split("\n").length - 1;
  if (lines > maxLines) problems.push(`${lines} lines; no file is longer than ${maxLines}`);
  if (/^export default\b/m.test(text)) problems.push("a default export: the one who imports could call it anything");
  if (/^src\/.*(?<!\.(?:test|fixture|contract))\.ts$/.test(file) && recursiveMkdir.test(text)) {
    problems.push("a recursive mkdir, which never ends in /proc: src/base/make-folder.ts makes what is above as well");
  }
  if (file !== packageEntry && isBarrel(text)) problems.push("a barrel, which only hands on what other files export");
  return problems;
}

function isBarrel(text: string): boolean {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  const reExport = /^export (type )?(\*( as \w+)?|\{[^}]*\}) from "[^"]+";$/gm;
  return /^export /m.test(code) && code.replaceAll(reExport, "").trim() === "";
}
