import type { Command } from "commander";
import { readManifest } from "../release/beside-files.ts";
import { releaseMeant } from "../release/history.ts";
import { type ManifestChange, manifestDiff } from "../release/manifest-diff.ts";
import { releaseJson } from "../release/release-json.ts";
import { treeDiff } from "../release/tree-diff.ts";
import { addUse } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { printable } from "./human-text.ts";
import { newCommand } from "./new-command.ts";
import {
  addRepositoryFlags,
  type ReleaseFlags,
  type ReleasePlace,
  readableRepository,
  withReleases,
} from "./release-options.ts";

/** `stillage release diff A B`. */
export function releaseDiffCommand(end: (status: number) => void): Command {
  const command = newCommand("diff", "stillage")
    .description("Show what differs between two releases: files, sources, dependencies")
    .argument("<A>", "A commit or the beginning of one, a branch, a version, or BRANCH@VERSION")
    .argument("<B>", "The other one");
  addUse(command, {
    examples: [{ says: "What changed since the version before", run: "stillage release diff stable@24.08 stable" }],
  });
  return addRepositoryFlags(command).action(async (a: string, b: string) => {
    const flags = command.opts<ReleaseFlags>();
    end(await withReleases(flags, (place) => diff(a, b, flags, place)));
  });
}

const signs = { added: "A", removed: "D", modified: "M" } as const;

async function diff(a: string, b: string, flags: ReleaseFlags, { releases, output }: ReleasePlace): Promise<number> {
  const { repository, archive } = await readableRepository(releases, flags.repository);
  const [from, to] = [await releaseMeant(archive, a), await releaseMeant(archive, b)];
  const [before, after] = await Promise.all(
    [from, to].map((each) => readManifest(repository.layout, each.commit, each.manifest)),
  );
  const said = before && after && manifestDiff(before.manifest, after.manifest);
  const [old, now] = [await archive.commit(from.commit), await archive.commit(to.commit)];
  const changes = old && now ? treeDiff(archive, old, now) : [];
  if (flags.json) {
    const head = JSON.stringify({ from: releaseJson(from), to: releaseJson(to), manifest: said ?? null }, undefined, 2);
    await output.write(`${head.slice(0, -2)},\n  "files": [`);
    let separator = "\n";
    for await (const change of changes) {
      if (!(await output.write(`${separator}    ${JSON.stringify(change)}`))) break;
      separator = ",\n";
    }
    await output.write(separator === "\n" ? "]\n}\n" : "\n  ]\n}\n");
    return exitStatus.done;
  }
  for (const each of said ?? []) await output.write(`${changeLine(each)}\n`);
  for await (const { path, change } of changes) {
    if (!(await output.write(`${signs[change]}\t${printable(path)}\n`))) break;
  }
  return exitStatus.done;
}

function changeLine({ what, name, from, to }: ManifestChange): string {
  const change = from === null ? `added ${to}` : to === null ? `removed ${from}` : `${from} -> ${to}`;
  return printable(`${what} ${name}: ${change}`);
}
