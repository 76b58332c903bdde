import { open } from "node:fs/promises";
import type { Command } from "commander";
import { fromFileSystem, StillageError } from "../base/errors.ts";
import { newEd25519Key } from "../ostree/ed25519.ts";
import { publicKeyText, secretKeyLine } from "../ostree/ed25519-files.ts";
import { addKeys, removeKey } from "../release/key-files.ts";
import {
  checkKeyName,
  ed25519Public,
  ownName,
  type PublicKey,
  readKeyDirectory,
  readKeyFile,
} from "../release/public-keys.ts";
import { addUse } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { printable } from "./human-text.ts";
import { newCommand } from "./new-command.ts";
import { type Output, standardOutput } from "./output.ts";
import {
  addRepositoryFlags,
  type ReleaseFlags,
  type ReleasePlace,
  repositoryMeant,
  withReleases,
  writerOf,
} from "./release-options.ts";
import { reportFailure } from "./report-failure.ts";
import { textTable } from "./text-table.ts";

/** `stillage release keys …`. */
export function releaseKeysCommand(end: (status: number) => void): Command {
  return newCommand("keys", "stillage")
    .description("Make keys to sign with, and say which keys a repository trusts")
    .addCommand(create(end))
    .addCommand(add(end))
    .addCommand(list(end))
    .addCommand(remove(end));
}

function create(end: (status: number) => void): Command {
  const command = newCommand("create", "stillage")
    .description("Make a key of Ed25519: the secret into a file, the public key to standard output")
    .argument("<NAME>", "What the key is called among the repository's keys")
    .option("--out <FILE>", "The file of the secret key (default: NAME.secret)");
  addUse(command, {
    examples: [
      {
        says: "A key of Ed25519, its secret in release.secret",
        run: "stillage release keys create release --out release.secret",
      },
    ],
  });
  return command.action(async (name: string) => {
    try {
      const path = command.opts<{ out?: string }>().out ?? `${checkKeyName(name)}.secret`;
      const key = newEd25519Key();
      await writeSecret(path, secretKeyLine(key));
      await standardOutput().write(`${publicKeyText(key)}\n`);
      const { id } = ed25519Public(checkKeyName(name), key);
      process.stderr.write(`stillage: the secret key is in ${path}; the key's id is ${id}\n`);
      end(exitStatus.done);
    } catch (error) {
      end(reportFailure(error));
    }
  });
}

/** A file that was not there, for its owner alone from its first moment. A crash leaves a key that nobody has seen. */
async function writeSecret(path: string, text: string): Promise<void> {
  try {
    await using file = await open(path, "wx", 0o600);
    await file.writeFile(text);
    await file.sync();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") {
      throw new StillageError("exists", `there is a file ${path} already`, { hint: "name another with --out" });
    }
    throw fromFileSystem(error, `the secret key ${path} cannot be written`);
  }
}

function add(end: (status: number) => void): Command {
  const command = newCommand("add", "stillage")
    .description("Publish the public keys of a file with the repository, and trust them")
    .argument("<FILE>", "Of ostree, OpenSSL or GPG")
    .option(
      "--name <NAME>",
      "What the key is called (default: of GPG its address, else the file's name without its ending)",
    );
  addUse(command, {
    examples: [{ says: "Trust a further key", run: "stillage release keys add colleague.asc --name colleague" }],
  });
  return addRepositoryFlags(command).action(async (file: string) => {
    const flags = command.opts<ReleaseFlags & { name?: string }>();
    end(
      await withReleases(flags, async (place) => {
        const { name } = flags;
        const keys = (await readKeyFile(file)).map((key) => ({ ...key, name: name ?? ownName(key) }));
        const added = await change(place, flags, (directory) => addKeys(directory, keys));
        await place.output.write(added.length === 0 ? "all of them are there\n" : `${added.join("\n")}\n`);
        return exitStatus.done;
      }),
    );
  });
}

function remove(end: (status: number) => void): Command {
  const command = newCommand("remove", "stillage")
    .description(
      "Trust a key no more: no release that it has signed, alone or with others, verifies by the repository's keys any more",
    )
    .argument("<NAME>", "As `keys list` shows it");
  addUse(command, { examples: [{ says: "Trust a key no more", run: "stillage release keys remove colleague" }] });
  return addRepositoryFlags(command).action(async (name: string) => {
    const flags = command.opts<ReleaseFlags>();
    end(
      await withReleases(flags, async (place) => {
        await change(place, flags, (directory) => removeKey(directory, name));
        return exitStatus.done;
      }),
    );
  });
}

/** Changes the keys, and makes the page say so. */
async function change<T>(place: ReleasePlace, flags: ReleaseFlags, work: (keys: string) => Promise<T>): Promise<T> {
  const repository = repositoryMeant(place.releases, flags.repository);
  using writer = await writerOf(repository, place.signal);
  await writer.mark();
  const result = await work(repository.layout.keys);
  await writer.refreshPage();
  return result;
}

function list(end: (status: number) => void): Command {
  const command = newCommand("list", "stillage").description("List the keys that a repository trusts: name, kind, id");
  addUse(command, { examples: [{ says: "For a script", run: "stillage release keys list --json" }] });
  return addRepositoryFlags(command).action(async () => {
    const flags = command.opts<ReleaseFlags>();
    end(
      await withReleases(flags, async ({ releases, output }) => {
        const keys = await readKeyDirectory(repositoryMeant(releases, flags.repository).layout.keys);
        const listed = keys.map(({ name, kind, id }) => ({ name, kind, id }));
        if (flags.json) await output.write(`${JSON.stringify(listed, undefined, 2)}\n`);
        else await output.write(text(listed, output));
        return exitStatus.done;
      }),
    );
  });
}

const columns = [{ title: "NAME", flexible: true }, { title: "KIND" }, { title: "ID" }];

function text(keys: readonly Pick<PublicKey, "name" | "kind" | "id">[], { forPeople, width }: Output): string {
  const rows = keys.map(({ name, kind, id }) => [printable(name), kind, id]);
  if (!forPeople) return rows.map((row) => `${row.join("\t")}\n`).join("");
  return rows.length === 0 ? "There is no key yet\n" : textTable(columns, rows, width);
}
