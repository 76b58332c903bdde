import { StillageError } from "../../base/errors.ts";
import { inParallel } from "../../base/in-parallel.ts";
import { artifactMatcher, keyBeginning } from "../artifact-glob.ts";
import type { ArtifactGlob, IndexedArtifact } from "../artifact-index.ts";
import type { RemoteCalls } from "../connection/remote-calls.ts";
import { type CataloguePage, cataloguePage } from "./catalogue-page.ts";

/** What the API gives at most in a page, and bytes that a page may have: an item is some kilobytes where it has many keys. */
const pageItems = 200;
const maxPageBytes = 4 << 20;

/** Messages of 1.9x that are asked for at a time. */
const maxLookups = 16;

/** Gives an artifact of 1.9x with its message, by its first key; `undefined` where it has gone. */
export type FindMessage = (artifact: IndexedArtifact, signal: AbortSignal) => Promise<IndexedArtifact | undefined>;

/**
 * What a Stillage server has, by its HTTP API (docs/API.md): all that any of the globs means, the newest first, and each artifact once. Errors: as of RemoteCalls,
 * and `unavailable` for answers that are none of this API's.
 */
export async function* listArtifacts(
  calls: RemoteCalls,
  globs: readonly ArtifactGlob[],
  findMessage: FindMessage,
  signal: AbortSignal,
): AsyncIterable<IndexedArtifact> {
  const lists = globs.map((glob) => listMeant(calls, glob, findMessage, signal)[Symbol.asyncIterator]());
  const heads = await Promise.all(lists.map((list) => list.next()));
  const told = new Set<string>();
  for (;;) {
    const newest = indexOfNewest(heads);
    const [list, head] = [lists[newest], heads[newest]];
    if (list === undefined || head === undefined || head.done === true) return;
    if (isNew(told, head.value)) yield head.value;
    heads[newest] = await list.next();
  }
}

/** That of the lists whose next artifact was pushed last; -1 where all have ended. */
function indexOfNewest(heads: readonly IteratorResult<IndexedArtifact>[]): number {
  let [newest, time] = [-1, Number.NEGATIVE_INFINITY];
  for (const [i, { done, value }] of heads.entries()) {
    if (done === true) continue;
    const pushed = (value as IndexedArtifact).record?.pushed ?? 0;
    if (newest < 0 || pushed > time) [newest, time] = [i, pushed];
  }
  return newest;
}

/** What one glob means. */
async function* listMeant(
  calls: RemoteCalls,
  glob: ArtifactGlob,
  findMessage: FindMessage,
  signal: AbortSignal,
): AsyncIterable<IndexedArtifact> {
  // The API takes an element for a file of a project as well, which is more than the glob means, and knows no wildcards in keys.
  const isMeant = artifactMatcher([glob]);
  let cursor: string | undefined;
  do {
    const { items, next } = await onePage(calls, glob, cursor, signal);
    yield* await withMessages(items.filter(isMeant), findMessage, signal);
    if (next !== undefined && next === cursor)
      throw new StillageError("unavailable", `${calls.name} gives one page of its list again and again`);
    cursor = next;
  } while (cursor !== undefined);
}

async function onePage(
  calls: RemoteCalls,
  { project, element, key }: ArtifactGlob,
  cursor: string | undefined,
  signal: AbortSignal,
): Promise<CataloguePage> {
  const given = { instance: calls.instanceName, project, element, key: keyBeginning(key), cursor: cursor ?? "" };
  const query = new URLSearchParams({ limit: String(pageItems) });
  for (const [name, value] of Object.entries(given)) if (value !== "") query.set(name, value);
  return cataloguePage(
    await calls.page(`/api/v1/artifacts?${query}`, maxPageBytes, "listing artifacts", signal),
    calls.name,
  );
}

function isNew(told: Set<string>, { project, element, generation, content }: IndexedArtifact): boolean {
  const name = JSON.stringify([project, element, generation, content.hash]);
  if (told.has(name)) return false;
  told.add(name);
  return true;
}

/** Artifacts of 1.9x get their messages, which stand in the index alone; those that have gone meanwhile are left out. */
async function withMessages(
  artifacts: readonly IndexedArtifact[],
  findMessage: FindMessage,
  signal: AbortSignal,
): Promise<IndexedArtifact[]> {
  const whole: (IndexedArtifact | undefined)[] = [...artifacts];
  const old = [...artifacts.entries()].filter(([, { generation }]) => generation === "1.9x");
  await inParallel(old, maxLookups, async ([i, artifact]) => {
    const found = await findMessage(artifact, signal);
    whole[i] = found && { ...artifact, content: found.content, message: found.message };
  });
  return whole.filter((each) => each !== undefined);
}
