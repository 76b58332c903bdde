import type { Command } from "commander";
import { systemClock } from "../base/clock.ts";
import { StillageError } from "../base/errors.ts";
import type { ReleaseWriter } from "../release/release-writer.ts";
import type { MadeSignature } from "../release/sign-import.ts";
import { giveOut, signHere, takeIn } from "../release/sign-release.ts";
import { addUse } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { printable } from "./human-text.ts";
import { newCommand } from "./new-command.ts";
import { addRepositoryFlags, type ReleaseFlags, repositoryMeant, withReleases, writerOf } from "./release-options.ts";

interface Flags extends ReleaseFlags {
  readonly export?: true;
  readonly import?: true;
}

/** `stillage release sign RELEASE [DIR | FILE...]`. */
export function releaseSignCommand(end: (status: number) => void): Command {
  const command = newCommand("sign", "stillage")
    .description("Sign a release once more, or have it signed elsewhere")
    .argument("<RELEASE>", "The release")
    .argument("[FILE...]", "With --export a directory, with --import the files with the signatures")
    .option("--export", "Write what is to be signed to a directory, with a page that says how")
    .option("--import", "Verify signatures that were made elsewhere, and keep them");
  addUse(command, {
    notes: [
      "RELEASE is what `release prepare` called it, or of one that is published its branch, commit or version. Without --export and --import, the repository's own signers sign it, as they do when something is published.",
    ],
    examples: [
      { says: "What is to be signed elsewhere", run: "stillage release sign 3f2a --export ./to-sign" },
      { says: "What came back", run: "stillage release sign 3f2a --import commit.sig" },
    ],
  });
  return addRepositoryFlags(command).action(async (release: string, files: readonly string[]) => {
    const flags = command.opts<Flags>();
    end(
      await withReleases(flags, async ({ releases, output, signal }) => {
        checkWords(flags, files);
        using writer = await writerOf(repositoryMeant(releases, flags.repository), signal);
        await output.write(await sign(writer, release, files, flags));
        return exitStatus.done;
      }),
    );
  });
}

function checkWords({ export: out, import: back }: Flags, files: readonly string[]): void {
  if (out && back) throw new StillageError("invalid", "--export and --import do not go together");
  if (out && files.length !== 1) throw new StillageError("invalid", "--export takes a release and one directory");
  if (back && files.length === 0)
    throw new StillageError("invalid", "--import takes a release and files with signatures");
  if (!out && !back && files.length > 0) {
    throw new StillageError("invalid", "files go with --export or --import alone");
  }
}

async function sign(writer: ReleaseWriter, release: string, files: readonly string[], flags: Flags): Promise<string> {
  if (flags.export) {
    const directory = files[0] ?? "";
    const given = await giveOut(writer, release, directory, systemClock);
    const listed = given.map(({ file, title }) => ({ file, title }));
    if (flags.json) return `${JSON.stringify({ directory, files: listed }, undefined, 2)}\n`;
    return `${listed.map(({ file, title }) => printable(`${directory}/${file}: ${title}`)).join("\n")}\n`;
  }
  return asText(flags.import ? await takeIn(writer, release, files) : await signHere(writer, release), flags);
}

function asText(made: readonly MadeSignature[], { json }: Flags): string {
  const listed = made.map(({ payload, kind, key: { name, id } }) => ({ of: payload.title, kind, name, id }));
  if (json) return `${JSON.stringify({ signatures: listed }, undefined, 2)}\n`;
  if (listed.length === 0) return "nothing to do: all have signed it\n";
  return `${listed.map(({ of, name, kind }) => printable(`${of}: signed by ${name} (${kind})`)).join("\n")}\n`;
}
