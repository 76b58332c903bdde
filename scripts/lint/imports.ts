import { basename, dirname, join } from "node:path";
import { doorFolders, mayImport, mayNameTypesOf, packageEntry } from "./rooms.ts";

interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

/** What is wrong with the imports of the TypeScript file `file` (a path from the root of the checkout). */
export function importProblems(file: string, text: string): string[] {
  return importsOf(text)
    .filter(({ specifier }) => specifier.startsWith("."))
    .flatMap((imported) => {
      const target = join(dirname(file), imported.specifier);
      if (!/\.(ts|json)$/.test(target)) return [`the import of "${imported.specifier}" does not end in .ts`];
      return [...roomProblem(file, target, imported.typeOnly), ...doorProblem(file, target)];
    });
}

function importsOf(text: string): Import[] {
  // The formatter leaves one way to write each, at the start of a line.
  const statements = text.matchAll(/^(?:import|export) (type )?(?:[^"';=()]* from )?"([^"]+)"/gm);
  const calls = text.matchAll(/\bimport\(\s*"([^"]+)"/g);
  return [
    ...[...statements].map(([, type, specifier = ""]) => ({ specifier, typeOnly: type !== undefined })),
    ...[...calls].map(([, specifier = ""]) => ({ specifier, typeOnly: false })),
  ];
}

function roomProblem(file: string, target: string, typeOnly: boolean): string[] {
  const from = roomOf(file);
  if (from === undefined) return [];
  const to = roomOf(target);
  // The manifest is the one file outside src/ that the programs read: their version stands there.
  if (to === undefined) return target === "package.json" ? [] : [`src/ imports ${target}, which is not in src/`];
  if (from === to) return [];
  const allowed = mayImport[from];
  if (allowed === undefined) return [`the room ${from} is not in scripts/lint/rooms.ts`];
  if (allowed.includes(to) || (typeOnly && mayNameTypesOf[from]?.includes(to))) return [];
  return [`${from} imports ${to} (${target}); it may import ${allowed.join(", ") || "nothing"}`];
}

/** `base` for `src/base/x.ts`; `library` for the package's entry and `main` for a program, which lie in src/ itself; `undefined` outside src/. */
function roomOf(file: string): string | undefined {
  const [top, room, inside] = file.split("/");
  if (top !== "src") return undefined;
  if (inside !== undefined) return room;
  return file === packageEntry ? "library" : "main";
}

function doorProblem(file: string, target: string): string[] {
  const folder = dirname(file);
  if (dirname(target) !== folder || !doorFolders.includes(folder)) return [];
  const [one, other] = [partOf(file), partOf(target)];
  if (one === other || one.startsWith(`${other}-`) || other.startsWith(`${one}-`)) return [];
  if (isTest(file) && target.endsWith(".fixture.ts")) return [];
  return [`a door imports another door, ${target}`];
}

/** `cas` for `cas.ts`, `cas.test.ts`. */
function partOf(file: string): string {
  return basename(file).replace(/\..*$/, "");
}

function isTest(file: string): boolean {
  return /\.(test|fixture)\.ts$/.test(file);
}
