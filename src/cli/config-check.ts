import { type Stats, statSync } from "node:fs";
import { dirname } from "node:path";
import type { Command } from "commander";
import { AccessLoader } from "../access/load-access.ts";
import { systemClock } from "../base/clock.ts";
import { asStillageError } from "../base/errors.ts";
import { type Log, silentLog } from "../base/log.ts";
import type { Read } from "../config/load.ts";
import { byPosition, type Problem, showProblem } from "../config/problem.ts";
import { showSize } from "../config/quantity.ts";
import { loadTls } from "../server/tls.ts";
import { addUse } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { newCommand } from "./new-command.ts";
import { accessProblems, addSettings, readSettings } from "./setting-options.ts";

/** A quota below it is hardly meant: a K or M where a G was. */
const leastSensibleQuota = 64 << 20;

/** `stillage config check`. */
export function configCheckCommand(end: (status: number) => void): Command {
  const command = newCommand("check", "stillage").description("Report everything that is wrong with the settings");
  addUse(command, {
    examples: [
      {
        says: "Before a restart: is everything right with the file?",
        run: "stillage config check --config /etc/stillage/stillage.yaml",
      },
    ],
    statuses: { done: "nothing is wrong", usage: "something is, and all of it was said" },
    see: "docs/CONFIGURATION.md",
  });
  return addSettings(command).action(async () => {
    const read = readSettings(command);
    const problems = [
      ...read.problems,
      ...(await certificateProblems(read)),
      ...(await accessFileProblems(read)),
      ...accessLogProblems(read),
    ];
    say(problems.toSorted(byPosition));
    say(
      doubts(read).map(({ origin, message }) => ({ origin, message: `${message} (the server starts all the same)` })),
    );
    if (problems.length > 0) return end(exitStatus.usage);
    process.stdout.write(`${read.file ?? "The configuration"} is fine\n`);
    end(exitStatus.done);
  });
}

function say(problems: readonly Problem[]): void {
  for (const problem of problems) process.stderr.write(`stillage: ${showProblem(problem)}\n`);
}

async function certificateProblems({ config, origins }: Read): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const { tls } of config.listeners ?? []) {
    if (tls === undefined) continue;
    await loadTls(tls).catch((error: unknown) =>
      problems.push({ origin: origins.listeners ?? "", message: asStillageError(error).message }),
    );
  }
  return problems;
}

/** Tries the files that an access file names. An issuer that does not answer is told of, and may well answer later. */
async function accessFileProblems(read: Read): Promise<readonly Problem[]> {
  const problems = accessProblems(read);
  const { access } = read.config;
  if (access === undefined || problems.length > 0) return problems;
  const log: Log = {
    ...silentLog,
    warn: (fields, message) => void process.stderr.write(`stillage: ${message}: ${Object.values(fields).join(": ")}\n`),
  };
  try {
    const loader = new AccessLoader(access, systemClock, log);
    await loader.load();
    await loader.settled();
    return [];
  } catch (error) {
    return [{ origin: read.origins.access ?? "", message: asStillageError(error).message }];
  }
}

function accessLogProblems({ config: { accessLog }, origins }: Read): Problem[] {
  if (accessLog === undefined || accessLog === "stderr") return [];
  const folder = dirname(accessLog);
  const [there, file] = [statsOf(folder), statsOf(accessLog)];
  const problem = (message: string): Problem[] => [{ origin: origins.accessLog ?? "", message }];
  if (there === undefined) return problem(`access-log: there is no directory ${folder}`);
  if (!there.isDirectory()) return problem(`access-log: ${folder} is no directory`);
  return file?.isDirectory() === true ? problem(`access-log: ${accessLog} is a directory`) : [];
}

/** What is there, as far as this user may know: the server's may know more. */
function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** What may be meant, but hardly is. */
function doubts({ config, origins }: Read): Problem[] {
  const { quota, instances, limits = [], releases } = config;
  const found: Problem[] = [];
  if (releases !== undefined && statsOf(releases)?.isDirectory() !== true) {
    found.push({ origin: origins.releases ?? "", message: `releases: there is no directory ${releases}` });
  }
  if (quota !== undefined && quota < leastSensibleQuota) {
    found.push({ origin: origins.quota ?? "", message: `quota: ${showSize(quota)} is very little for a cache` });
  }
  for (const { instance } of limits) {
    if (instance === undefined || instances === undefined || instances.includes(instance)) continue;
    found.push({
      origin: origins.limits ?? "",
      message: `limits: the instance ${JSON.stringify(instance)} is none of those that are served`,
    });
  }
  return found;
}
