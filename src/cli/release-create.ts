import type { Command } from "commander";
import { systemClock } from "../base/clock.ts";
import { countedTree, type TreeCount } from "../release/counted-tree.ts";
import { manifestDigest, manifestJson } from "../release/manifest.ts";
import { createRelease, type Preparation, prepareRelease } from "../release/publish.ts";
import { addUse } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { counted, humanSize, printable } from "./human-text.ts";
import { newCommand } from "./new-command.ts";
import { showLine } from "./progress-line.ts";
import { type ReleasePlace, repositoryMeant, withReleases, writerOf } from "./release-options.ts";
import { addRequestFlags, type RequestFlags, requestOf } from "./release-request.ts";

/** `stillage release create ELEMENT|ARTIFACT`. */
export function releaseCreateCommand(end: (status: number) => void): Command {
  const command = newCommand("create", "stillage").description(
    "Release an artifact or a directory: signed, checked, published",
  );
  addUse(command, {
    examples: [
      {
        says: "Release what was built last of an element",
        run: "stillage release create os/image/4f6e0c1d2b3a --branch stable --version 24.08",
      },
      { says: "See what it would be", run: "stillage release create --tree ./image --branch stable --dry-run" },
    ],
  });
  return addRequestFlags(command).action(async (what: string | undefined) => {
    const flags = command.opts<RequestFlags>();
    end(await withReleases(flags, (place) => release(what, flags, place, false)));
  });
}

/** `stillage release prepare ELEMENT|ARTIFACT`. */
export function releasePrepareCommand(end: (status: number) => void): Command {
  const command = newCommand("prepare", "stillage").description(
    "Make a release that is to be signed elsewhere, and publish nothing",
  );
  addUse(command, {
    examples: [
      {
        says: "Make it here, sign it where the key is",
        run: "stillage release prepare os/image/4f6e0c1d2b3a --branch stable --version 24.08",
      },
    ],
  });
  return addRequestFlags(command).action(async (what: string | undefined) => {
    const flags = command.opts<RequestFlags>();
    end(await withReleases(flags, (place) => release(what, flags, place, true)));
  });
}

async function release(
  what: string | undefined,
  flags: RequestFlags,
  place: ReleasePlace,
  keep: boolean,
): Promise<number> {
  const { config, releases, output, signal } = place;
  const repository = repositoryMeant(releases, flags.repository);
  using requested = await requestOf(what, flags, config.store);
  using writer = await writerOf(repository, signal);
  const notes = [...requested.notes];
  const say = (note: string): void => void process.stderr.write(`stillage: ${printable(note)}\n`);
  notes.forEach(say);
  const count: TreeCount = { files: 0, bytes: 0 };
  const request = { ...requested.request, tree: countedTree(requested.request.tree, count) };
  const dryRun = flags.dryRun === true;
  const now = systemClock();
  let made: Preparation;
  {
    using _line = showLine(() => `${counted(count.files, "file")}, ${humanSize(count.bytes)}`, process.stderr);
    made = keep
      ? await prepareRelease(writer, request, { keep, dryRun, now })
      : await createRelease(writer, request, { dryRun, now });
  }
  if (made.manifest.content.files === 0) {
    notes.push("there is no file in it: is it a stack, which only depends on others?");
    notes.slice(-1).forEach(say);
  }
  const outcome = dryRun ? "dry-run" : keep ? "prepared" : "published";
  if (flags.json) await output.write(asJson(repository.name, made, outcome, notes));
  else await output.write(asText(made, outcome));
  return exitStatus.done;
}

type Outcome = "dry-run" | "prepared" | "published";

function asJson(repository: string, made: Preparation, outcome: Outcome, notes: readonly string[]): string {
  const { manifest, prepared } = made;
  const result = {
    repository,
    outcome: made.commits.length === 0 ? "unchanged" : outcome,
    version: manifest.version,
    content: manifest.content,
    manifest: manifestDigest(manifestJson(manifest)),
    releases: [
      ...made.commits.map(({ branch, commit, parent }) => ({ branch, commit, parent: parent ?? null, new: true })),
      ...made.unchanged.map(({ branch, commit, parent }) => ({ branch, commit, parent: parent ?? null, new: false })),
    ],
    prepared: outcome === "prepared" ? (prepared?.id ?? null) : null,
    notes,
  };
  return `${JSON.stringify(result, undefined, 2)}\n`;
}

const words: Readonly<Record<Outcome, string>> = {
  "dry-run": "would be published",
  prepared: "prepared",
  published: "published",
};

function asText({ manifest, commits, unchanged, prepared }: Preparation, outcome: Outcome): string {
  const { files, bytes } = manifest.content;
  const name = (branch: string): string => (manifest.version === null ? branch : `${branch} ${manifest.version}`);
  const lines = [
    ...commits.map(({ branch, commit }) => `${name(branch)}: ${commit} ${words[outcome]}`),
    ...unchanged.map(({ branch, commit }) => `${name(branch)}: ${commit} has all this already`),
    `${counted(files, "file")}, ${humanSize(bytes)}, content ${manifest.content.checksum}`,
  ];
  if (outcome === "prepared" && prepared !== undefined) {
    lines.push(
      `prepared as ${prepared.id}: \`stillage release sign\` exports it, \`stillage release publish\` publishes it`,
    );
  }
  return `${lines.map(printable).join("\n")}\n`;
}
