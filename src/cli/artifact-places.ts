import type { Command } from "commander";
import { systemClock } from "../base/clock.ts";
import { StillageError } from "../base/errors.ts";
import type { ArtifactQuestion } from "../client/artifact-index.ts";
import type { ClientConfiguration } from "../client/configuration/client-configuration.ts";
import type { LeftRemote } from "../client/connection/open-remotes.ts";
import { openReachability, unreachablePath } from "../client/connection/reachability.ts";
import { elementQuestions } from "../client/library/bst-elements.ts";
import { ClientPlaces } from "../client/library/client-places.ts";
import type { MeantOptions } from "../client/meant-artifacts.ts";
import { localName, namedPlace } from "../client/named-place.ts";
import type { OpenPlaceOptions } from "../client/open-place.ts";
import type { Place } from "../client/place.ts";
import { onePlace, type PlaceSearch } from "../client/reading/place-search.ts";
import { addClientOptions, bstOf, type ClientFlags, clientConfiguration } from "./client-options.ts";
import { exitStatus } from "./exit-status.ts";
import { printable } from "./human-text.ts";
import { interruptible } from "./interruptible.ts";
import { placeText } from "./name-texts.ts";
import { sayAbsentCache } from "./named-cache.ts";

export interface PlaceFlags extends ClientFlags {
  readonly in?: string;
  readonly instance?: string;
}

/** Where a command that reads artifacts may look. */
export interface ReadingPlaces extends MeantOptions {
  readonly configuration: ClientConfiguration;
  /** The place of `--in`; the local cache without it. */
  readonly place: Place;
  /** That place alone, or the local cache and then the remotes. */
  readonly search: PlaceSearch;
  /** Another place, closed with the rest. */
  open(text: string): Promise<Place>;
}

/** What `--in` is where nobody says, for commands about artifacts that are named. */
export const localAndRemotes = "the local cache, then the remotes";

/** Gives a command that reads artifacts the flags that say where. */
export function addPlaceOptions(command: Command, otherwise: string): Command {
  return addClientOptions(
    command
      .option("--in <PLACE>", `Where to look: ${placeText} (default: ${otherwise})`)
      .option("--instance <NAME>", "The instance name, where the store of a server has several"),
  );
}

/** Opens what these flags name, lets `work` at it, and gives the exit status. Failures are printed. */
export async function withPlaces(
  flags: PlaceFlags,
  work: (places: ReadingPlaces) => Promise<number>,
  mode: OpenPlaceOptions["mode"] = "read",
): Promise<number> {
  const configuration = clientConfiguration(flags, "pull");
  if (configuration === undefined) return exitStatus.usage;
  sayAbsentCache(flags, configuration, flags.in);
  return interruptible(async (signal) => {
    await using places = new ClientPlaces({
      configuration,
      reachability: openReachability(unreachablePath(process.env), systemClock),
      left: tellLeft,
    });
    await using opened = new AsyncDisposableStack();
    const { instance } = flags;
    const openOwn = async (text: string, of: string | undefined): Promise<Place> =>
      opened.use(await places.open(text, { mode, instance: of, signal }));
    const anywhere = flags.in === undefined && instance === undefined;
    const place = anywhere ? await places.local() : await openOwn(flags.in ?? localName, instance);
    const search = anywhere ? await places.search(undefined, signal) : onePlace(place, signal);
    const open = async (text: string): Promise<Place> => {
      const isStore = namedPlace(text, configuration).kind === "store";
      return openOwn(text, isStore ? instance : undefined);
    };
    const ofElements = elementQuestions(configuration, bstOf(flags));
    const ofElement = ofElements && (async (name: string) => onlyOne(name, await ofElements([name], signal)));
    return await work({ configuration, place, search, open, signal, ofElement });
  }, "stopped");
}

function onlyOne(name: string, questions: readonly ArtifactQuestion[]): ArtifactQuestion {
  const [question] = questions;
  if (question !== undefined) return question;
  throw new StillageError("not-found", `\`bst show\` says nothing of ${name}`);
}

function tellLeft({ spec, error }: LeftRemote): void {
  process.stderr.write(`stillage: note: the remote ${printable(`${spec.name} is left out: ${error.message}`)}\n`);
}
