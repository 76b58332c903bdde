import { join } from "node:path";
import { type Command, Option } from "commander";
import { Catalogue, shownName } from "../artifact/catalogue.ts";
import { systemClock } from "../base/clock.ts";
import { StillageError } from "../base/errors.ts";
import { instanceMeant } from "../client/store-place.ts";
import { checkReadable, ReadOnlyTenant } from "../store/disk/read-only-store.ts";
import { type Space, spaces } from "../store/ref-store.ts";
import { openPins, type Pinned, type Pins } from "../store/sqlite/pins.ts";
import { addUse } from "./command-use.ts";
import { exitStatus } from "./exit-status.ts";
import { counted, fromPrintable, printable } from "./human-text.ts";
import { newCommand } from "./new-command.ts";
import { listPins } from "./pin-list.ts";
import { reportFailure } from "./report-failure.ts";
import { addStoreFlags, type StoreFlags, storeOf } from "./store-of.ts";
import { storedArtifactMeant } from "./stored-artifact.ts";

export interface PinFlags extends StoreFlags {
  readonly instance?: string;
  readonly space?: Space;
  readonly list?: true;
  readonly json?: true;
}

/** `stillage pin NAME...`, and `unpin`. */
export function pinCommand(end: (status: number) => void, name: "pin" | "unpin"): Command {
  const pinned = name === "pin";
  const command = newCommand(name, "stillage").description(
    pinned ? "Have artifacts, or other refs, stay in a store" : "Let go what was pinned",
  );
  addUse(command, {
    notes: [
      "Pinned refs, and all that they keep alive, stay whatever the room and the age, but for a date of their own; a push of the same name keeps the pin.",
    ],
    examples: pinned
      ? [
          { says: "Keep what a release was built from", run: "stillage pin os/image/4f6e0c1d2b3a --store /srv/cache" },
          { says: "What is pinned", run: "stillage pin --list --store /srv/cache" },
        ]
      : [{ says: "Let it go again", run: "stillage unpin os/image/4f6e0c1d2b3a --store /srv/cache" }],
    statuses: { failed: "not found or a failure: then nothing is changed" },
  });
  addStoreFlags(command, "its server may be running")
    .argument(pinned ? "[NAME...]" : "<NAME...>", "PROJECT/ELEMENT/KEY; with --space, a ref as `pin --list` prints it")
    .option("--instance <NAME>", "The instance name, where there are several")
    .addOption(new Option("--space <SPACE>", "The kind of refs that the names are of").choices(spaces))
    .option("--json", "Print the result as JSON");
  if (pinned) command.option("--list", "List what is pinned, in this instance and space or in all");
  return command.action(async (names: readonly string[]) => {
    const flags = command.opts<PinFlags>();
    if (names.length > 0 === (flags.list === true)) {
      command.error(`error: ${names.length > 0 ? "--list takes no names" : "missing required argument 'NAME'"}`);
    }
    const store = storeOf(flags);
    if (store === undefined) return end(exitStatus.usage);
    try {
      const directory = checkReadable(store);
      if (flags.list) await listPins(directory, flags);
      else await setPins(directory, pinned, names, flags);
      end(exitStatus.done);
    } catch (error) {
      end(reportFailure(error));
    }
  });
}

async function setPins(
  directory: string,
  pinned: boolean,
  names: readonly string[],
  { instance, space, json }: PinFlags,
): Promise<void> {
  const pins = openPins(join(directory, "refs.sqlite"), systemClock);
  try {
    const meant =
      space === undefined
        ? await artifactsMeant(pins, directory, instance, names)
        : names.map((name) => refMeant(pins, { space, instance: instance ?? "", name: fromPrintable(name) }));
    const counts = pins.set(
      pinned,
      meant.map((each) => each.pinned),
    );
    const done = meant.map(({ name, instance }, i) => ({ name, instance, refs: counts[i] ?? 0, pinned }));
    const word = pinned ? "pinned" : "unpinned";
    const lines = done.map(({ name, refs }) => `${printable(name)}: ${counted(refs, "ref")} ${word}\n`);
    process.stdout.write(json ? `${JSON.stringify(done, undefined, 2)}\n` : lines.join(""));
  } finally {
    pins.close();
  }
}

interface Meant {
  readonly name: string;
  readonly instance: string;
  readonly pinned: Pinned;
}

async function artifactsMeant(
  { artifacts }: Pins,
  directory: string,
  instance: string | undefined,
  names: readonly string[],
): Promise<Meant[]> {
  const own = instanceMeant(instance, artifacts.instances(), directory);
  const blobs = new ReadOnlyTenant(directory, own);
  const catalogue = new Catalogue({ instance: own, artifacts, blobs, closure: undefined });
  const meant: Meant[] = [];
  for (const name of names) {
    const found = await storedArtifactMeant({ catalogue, artifacts }, name);
    meant.push({ name: shownName(found), instance: own, pinned: { artifact: found.id } });
  }
  return meant;
}

function refMeant(pins: Pins, pinned: { space: Space; instance: string; name: string }): Meant {
  const { space, instance, name } = pinned;
  if (pins.has(pinned)) return { name, instance, pinned };
  throw new StillageError("not-found", `there is no ${space} ${JSON.stringify(name)} in ${shownInstance(instance)}`, {
    hint: "a name has to be whole, and written as `stillage pin --list` writes names",
  });
}

function shownInstance(instance: string): string {
  return instance === "" ? "the instance without a name" : `the instance ${JSON.stringify(instance)}`;
}
