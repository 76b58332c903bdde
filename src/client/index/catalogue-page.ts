import { parseDigest } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import { StillageError } from "../../base/errors.ts";
import { generations } from "../../store/artifact-refs.ts";
import type { IndexedArtifact } from "../artifact-index.ts";

/** A page of a server's list of artifacts. */
export interface CataloguePage {
  readonly items: readonly IndexedArtifact[];
  /** The cursor of the next one. */
  readonly next: string | undefined;
}

/**
 * The page in an answer to `/api/v1/artifacts` (docs/API.md). Artifacts that no BuildStream could have pushed, by their names or their hash function, are left out: whoever may push to
 * a server may call things as he likes. Errors: `unavailable` for what is no such page.
 */
export function cataloguePage(body: Uint8Array, from: string): CataloguePage {
  let page: unknown;
  try {
    page = JSON.parse(Buffer.from(body).toString());
  } catch (error) {
    throw notOurs(from, error);
  }
  if (!isObject(page) || !Array.isArray(page.items)) throw notOurs(from);
  if (page.next !== null && typeof page.next !== "string") throw notOurs(from);
  return { items: page.items.flatMap((item) => artifactOf(item, from) ?? []), next: page.next ?? undefined };
}

function artifactOf(item: unknown, from: string): IndexedArtifact | undefined {
  if (!isObject(item) || !isObject(item.content)) throw notOurs(from);
  const { project, element, keys, content, instance, pushed, pushedBy, moreKeys } = item;
  const { hash, size } = content;
  const generation = generations.find((each) => each === item.generation);
  if (typeof project !== "string" || typeof element !== "string" || !isKeys(keys)) throw notOurs(from);
  if (typeof hash !== "string" || typeof size !== "number") throw notOurs(from);
  if (generation === undefined || content.function !== sha256.name) return undefined;
  if (![project, ...element.split("/"), ...keys].every(isFileName)) return undefined;
  return {
    ...{ project, element, keys, generation, message: undefined },
    content: digestOfPage(hash, size, from),
    record: {
      instance: typeof instance === "string" ? instance : undefined,
      pushed: typeof pushed === "string" ? timeOf(pushed) : undefined,
      by: typeof pushedBy === "string" ? pushedBy : undefined,
      moreKeys: moreKeys === true,
    },
  };
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  value !== null && typeof value === "object" && !Array.isArray(value);

const isKeys = (value: unknown): value is string[] =>
  Array.isArray(value) && value.length > 0 && value.every((key) => typeof key === "string");

/** Names become file names of local caches. */
function isFileName(name: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return name !== "" && name !== "." && name !== ".." && !/[/\u0000-\u001f\u007f]/.test(name) && name.isWellFormed();
}

function timeOf(text: string): number | undefined {
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}

function digestOfPage(hash: string, size: number, from: string): IndexedArtifact["content"] {
  try {
    return parseDigest(hash, size, sha256);
  } catch (error) {
    throw notOurs(from, error);
  }
}

function notOurs(from: string, cause?: unknown): StillageError {
  return new StillageError("unavailable", `${from} answers with something that is no list of artifacts`, { cause });
}
