import type { Command } from "commander";
import type { IndexedArtifact } from "../client/artifact-index.ts";
import { shownArtifact } from "../client/meant-artifacts.ts";
import { allMeantIn } from "../client/reading/place-search.ts";
import { removingPlace } from "../client/removing-place.ts";
import { addPlaceOptions, type PlaceFlags, type ReadingPlaces, withPlaces } from "./artifact-places.ts";
import { addUse } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { counted, printable } from "./human-text.ts";
import { nameText } from "./name-texts.ts";
import { newCommand } from "./new-command.ts";
import { type Output, standardOutput } from "./output.ts";

interface Options extends PlaceFlags {
  readonly dryRun?: true;
  readonly json?: true;
}

/** `stillage artifact delete NAME…`. */
export function artifactDeleteCommand(end: (status: number) => void): Command {
  const command = newCommand("delete", "stillage")
    .description("Remove artifacts from the local cache, or from an archive")
    .argument("<NAME...>", nameText);
  addUse(command, {
    notes: [
      "All names of an artifact go, as with `bst artifact delete`. What was in it stays until BuildStream makes room. Caches of others, and servers, are left to themselves. In a pipe: a line for each artifact, with its name and its keys, with commas, behind a tab.",
    ],
    examples: [
      { says: "What would go", run: "stillage artifact delete --dry-run 'os/image/*'" },
      { says: "An artifact out of an archive", run: "stillage artifact delete os/image/4f6e0c --in cache.tar" },
    ],
    statuses: { failed: "not found or a failure" },
    see: "docs/CLIENT.md",
  });
  return addPlaceOptions(command, "the local cache")
    .option("-n, --dry-run", "Only say what would go")
    .option("--json", "Print a JSON array of what has gone")
    .action(async (names: string[], options: Options) => {
      const mode = options.dryRun ? "read" : "write";
      end(await withPlaces(options, (places) => remove(places, names, standardOutput(), options), mode));
    });
}

async function remove(
  { place, signal, ofElement }: ReadingPlaces,
  names: readonly string[],
  output: Output,
  { dryRun, json }: Options,
): Promise<number> {
  const removing = removingPlace(place);
  const meant = await allMeantIn(place, names, { signal, ofElement });
  const lines: string[] = [];
  const tell = async (): Promise<void> => {
    if (!json) await output.write(lines.splice(0).join(""));
  };
  for (const artifact of meant) {
    const refs = dryRun ? artifact.keys.length : await removing.remove(artifact);
    lines.push(lineOf(artifact, refs, dryRun === true, output));
    // Out of an archive it is gone once that is written.
    if (place.save === undefined) await tell();
  }
  await place.save?.();
  await tell();
  if (!json) return exitStatus.done;
  const gone = meant.map(({ project, element, keys, generation }) => {
    return { project, element, keys, generation, removed: !dryRun };
  });
  await output.write(`${JSON.stringify(gone, undefined, 2)}\n`);
  return exitStatus.done;
}

function lineOf(artifact: IndexedArtifact, refs: number, dryRun: boolean, { forPeople }: Output): string {
  const name = printable(shownArtifact(artifact));
  if (!forPeople) return `${name}\t${artifact.keys.join(",")}\n`;
  return `${dryRun ? "would remove" : "removed"} ${name} (${counted(refs, "name")})\n`;
}
