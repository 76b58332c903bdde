import assert from "node:assert/strict";
import { join } from "node:path";
import type { IndexedArtifact } from "../../../src/client/artifact-index.ts";
import { openArtifactTar } from "../../../src/client/local/open-artifact-tar.ts";
import type { Place } from "../../../src/client/place.ts";
import { copyBudget } from "../../../src/client/transfer/copy-artifact.ts";
import { copyBetween } from "../../../src/client/transfer/copy-between.ts";
import type { BstClient } from "./bst.ts";
import { runOk } from "./program.ts";
import type { Site } from "./site.ts";

const everything = [{ project: "*", element: "*", key: "" }];

/** All artifacts of a place, by their names. */
export async function artifactsOf(place: Place): Promise<IndexedArtifact[]> {
  assert.ok(place.index);
  const artifacts: IndexedArtifact[] = [];
  for await (const each of place.index.list(everything, AbortSignal.timeout(60_000))) artifacts.push(each);
  return artifacts;
}

/** Copies all artifacts, blobs that are missing first, and tells how many blobs were. */
export async function copyAll(from: Place, to: Place): Promise<number> {
  let blobs = 0;
  const options = { optional: "those-there" as const, budget: copyBudget(), signal: AbortSignal.timeout(60_000) };
  for (const artifact of await artifactsOf(from)) {
    const { outcome, moved, faults, lacking } = await copyBetween(artifact, [from], to, options);
    assert.notEqual(outcome, "incomplete", JSON.stringify({ faults, lacking }));
    blobs += moved.blobs;
  }
  return blobs;
}

/** A machine whose cache is all that a place has, packed here and unpacked by tar, and that file. */
export async function unpackedMachine(site: Site, from: Place): Promise<{ machine: BstClient; file: string }> {
  const file = join(await site.workspace.folder("file"), "artifacts.tar");
  {
    await using tar = await openArtifactTar(file, "write");
    await copyAll(from, tar);
  }
  const machine = await site.machine("third");
  await runOk("mkdir", ["-p", machine.cache]);
  await runOk("tar", ["-xf", file, "-C", machine.cache]);
  return { machine, file };
}
