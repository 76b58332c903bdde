// Compares committing a tree with the real `ostree commit`: `ostree.ts --help`.
import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { ArchiveRepository } from "../src/ostree/archive/archive-repository.ts";
import { freshDirectory } from "./fresh-directory.ts";
import { runMain } from "./interrupt.ts";
import { describeMachine } from "./machine.ts";
import { writeMixedTree } from "./ostree-tree.ts";
import { positiveNumber } from "./positive-number.ts";
import { median } from "./samples.ts";
import { checkout } from "./servers.ts";
import { renderTable } from "./table.ts";

const help = `Usage: node bench/ostree.ts [options]
  --files N     files of the tree (5000)
  --megabytes N size of the tree (200)
  --rounds N    rounds, of which the median counts (3)
  --dir DIR     where tree and repositories get a fresh folder (.cache/bench)
  --json FILE   write the figures to FILE
  --markdown    print the table in Markdown
Needs Debian's ostree: scripts/clients/ostree.sh`;

/** What a commit, and one of a tree that is there, may take of the real program's time. */
const targets = { commit: 0.8, recommit: 0.15 };

const run = promisify(execFile);

/** What a program took: seconds from its start to its end, and of processors, its own and the system's for it. */
interface Taken {
  readonly wall: number;
  readonly cpu: number;
}

interface Figures {
  readonly round: number;
  readonly what: "commit" | "recommit";
  readonly real: Taken;
  readonly own: Taken;
}

await runMain(async (signal) => {
  const { values } = parseArgs({
    options: {
      files: { type: "string", default: "5000" },
      megabytes: { type: "string", default: "200" },
      rounds: { type: "string", default: "3" },
      dir: { type: "string", default: join(checkout, ".cache/bench") },
      json: { type: "string" },
      markdown: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(help);
  await using directory = await freshDirectory(values.dir);
  const tree = join(directory.path, "tree");
  const [count, megabytes] = [positiveNumber("files", values.files), positiveNumber("megabytes", values.megabytes)];
  const made = await writeMixedTree(tree, count, megabytes * 1e6);

  const time = async (...words: string[]): Promise<Taken> => {
    // What was written before is not to slow this down. Nothing is removed until the end: some file systems are slow for minutes after that.
    await run("sync", ["-f", directory.path]);
    const { stderr } = await run("bash", ["-c", 'TIMEFORMAT="%R %U %S"; time "$@" > /dev/null', "bash", ...words], {
      signal,
    });
    const [wall = Number.NaN, user = Number.NaN, system = Number.NaN] = stderr.trim().split(" ").map(Number);
    return { wall, cpu: user + system };
  };
  const realCommit = (repository: string): Promise<Taken> => {
    const words = [
      "--canonical-permissions",
      "--no-bindings",
      "--timestamp=@1700000000",
      "--parent=none",
      "-b",
      "bench",
    ];
    return time("ostree", "commit", `--repo=${repository}`, ...words, tree);
  };
  const own = join(import.meta.dirname, "ostree-commit.ts");
  const ownCommit = (repository: string): Promise<Taken> => time(process.execPath, own, repository, tree);

  const figures: Figures[] = [];
  for (let round = 1; round <= positiveNumber("rounds", values.rounds); round++) {
    const [real, ours] = [join(directory.path, `real-${round}`), join(directory.path, `own-${round}`)];
    await mkdir(real);
    await run("ostree", ["init", `--repo=${real}`, "--mode=archive"]);
    await ArchiveRepository.init(ours);
    for (const what of ["commit", "recommit"] as const) {
      const taken = { real: await realCommit(real), own: await ownCommit(ours) };
      figures.push({ round, what, ...taken });
      console.error(`round ${round}, ${what}: ${taken.real.wall.toFixed(2)} s and ${taken.own.wall.toFixed(2)} s`);
    }
    const [theirs, mine] = [await ArchiveRepository.open(real), await ArchiveRepository.open(ours)];
    if ((await theirs.ref("bench")) !== (await mine.ref("bench"))) throw new Error("the commits are not the same");
    await run("ostree", ["fsck", `--repo=${ours}`, "--quiet"]);
  }

  const line = (what: "commit" | "recommit"): string[] => {
    const rounds = figures.filter((each) => each.what === what);
    const middle = (of: (each: Figures) => number): number => median(rounds.map(of)) ?? Number.NaN;
    const ratio = middle(({ real, own: ours }) => ours.wall / real.wall);
    const verdict = ratio <= targets[what] ? "pass" : "short";
    const seconds = [
      middle(({ real }) => real.wall),
      middle(({ own: ours }) => ours.wall),
      middle(({ real }) => real.cpu),
      middle(({ own: ours }) => ours.cpu),
    ];
    return [what, ...seconds.map((each) => each.toFixed(2)), `${ratio.toFixed(2)} (<= ${targets[what]}: ${verdict})`];
  };
  console.log(`${describeMachine()}; ${made.files} files, ${(made.bytes / 1e6).toFixed(0)} MB\n`);
  const table = [
    ["medians", "ostree, s", "Stillage, s", "ostree, CPU s", "Stillage, CPU s", "ratio"],
    line("commit"),
    line("recommit"),
  ];
  console.log(renderTable(table, values.markdown ? "markdown" : "plain"));
  if (values.json !== undefined) {
    await writeFile(
      values.json,
      `${JSON.stringify({ machine: describeMachine(), tree: made, figures }, undefined, 1)}\n`,
    );
  }
});
