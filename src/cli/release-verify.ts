import type { Command } from "commander";
import { systemClock } from "../base/clock.ts";
import { StillageError } from "../base/errors.ts";
import { allFindings, type Finding, type VerifyReport } from "../release/verify-report.ts";
import { verifyRepository } from "../release/verify-repository.ts";
import { addUse } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { counted, printable } from "./human-text.ts";
import { interruptible } from "./interruptible.ts";
import { newCommand } from "./new-command.ts";
import { standardOutput } from "./output.ts";
import { addKeyFlags, givenKeys, type KeyFlags } from "./release-key-flags.ts";
import { addRepositoryFlags, type ReleaseFlags, repositoryMeant, withReleases } from "./release-options.ts";

interface Flags extends ReleaseFlags, KeyFlags {
  readonly all?: true;
  readonly repo?: string;
}

/** `stillage release verify [RELEASE]`. */
export function releaseVerifyCommand(end: (status: number) => void): Command {
  const command = newCommand("verify", "stillage")
    .description("Verify releases: signatures, every object, manifest, provenance, attachments")
    .argument("[RELEASE]", "A branch, a commit, a version, or BRANCH@VERSION (default: the newest of each branch)")
    .option("--all", "All releases that are there")
    .option("--repo <DIR>", "A copy of a repository's directory `public`, instead of --releases and --repository");
  addUse(command, {
    notes: [
      "It reads the directory alone, and needs no store and no connection. Without keys of yours, those that lie in the repository are taken: that shows that all of it belongs together, and not whose it is.",
    ],
    examples: [
      { says: "Everything, with a key that came another way", run: "stillage release verify --all --key release.pub" },
      { says: "A copy of somebody's repository", run: "stillage release verify --repo ./public" },
    ],
    statuses: { done: "nothing is wrong", failed: "something is, or a failure", usage: "wrong usage" },
  });
  return addRepositoryFlags(addKeyFlags(command)).action(async (release: string | undefined) => {
    const flags = command.opts<Flags>();
    const { repo } = flags;
    if (repo !== undefined) {
      end(await interruptible(async (signal) => verify(repo, release, flags, signal), "stopped"));
      return;
    }
    end(
      await withReleases(flags, ({ releases, signal }) =>
        verify(repositoryMeant(releases, flags.repository).layout.directory, release, flags, signal),
      ),
    );
  });
}

async function verify(
  directory: string,
  release: string | undefined,
  flags: Flags,
  signal: AbortSignal,
): Promise<number> {
  if (release !== undefined && flags.all) throw new StillageError("invalid", "a release and --all do not go together");
  const keys = await givenKeys(flags);
  const all = flags.all === true;
  const report = await verifyRepository({ directory, keys, release, all, now: systemClock(), signal });
  const output = standardOutput();
  await output.write(flags.json ? asJson(report) : asText(report));
  return isFine(report) ? exitStatus.done : exitStatus.failed;
}

function isFine(report: VerifyReport): boolean {
  return allFindings(report).every(({ outcome }) => outcome !== "failed");
}

function asJson(report: VerifyReport): string {
  const { releases, ...rest } = report;
  const listed = releases.map(({ version, ...each }) => ({ ...each, version: version ?? null }));
  return `${JSON.stringify({ ok: isFine(report), ...rest, releases: listed }, undefined, 2)}\n`;
}

const marks = { ok: "ok      ", failed: "FAILED  ", unchecked: "-       " } as const;

function asText(report: VerifyReport): string {
  const { directory, keySource, keys, findings, releases } = report;
  const names = keys.map(({ name, kind }) => `${name} (${kind})`).join(", ");
  const source = {
    given: `keys given: ${names}`,
    repository: `keys of the repository itself: ${names}`,
    none: "no keys",
  };
  const lines = [`${directory}; ${source[keySource]}`, ...lineOf(findings)];
  for (const { branch, version, commit, findings: found } of releases) {
    lines.push("", version === undefined ? `${branch} ${commit}` : `${branch} ${version} ${commit}`, ...lineOf(found));
  }
  lines.push("", verdict(report));
  return `${lines.map(printable).join("\n")}\n`;
}

function lineOf(findings: readonly Finding[]): readonly string[] {
  return findings.map(({ outcome, about, says }) => `  ${marks[outcome]}${about}: ${says}`);
}

function verdict(report: VerifyReport): string {
  const all = allFindings(report);
  const failed = all.filter(({ outcome }) => outcome === "failed").length;
  if (failed > 0) return `${counted(failed, "thing")} of ${all.length} ${failed === 1 ? "is" : "are"} wrong`;
  const unchecked = all.filter(({ outcome }) => outcome === "unchecked").length;
  const what = counted(report.releases.length, "release");
  return `${what}: nothing is wrong${unchecked === 0 ? "" : `; ${unchecked} things, marked with -, could not be verified`}`;
}
