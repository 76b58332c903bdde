import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { systemClock } from "../base/clock.ts";
import { fromFileSystem, StillageError } from "../base/errors.ts";
import { openCatalogue } from "../client/store-place.ts";
import { directoryTree } from "../ostree/archive/directory-tree.ts";
import type { DirectoryEntry } from "../ostree/archive/tree-entry.ts";
import { maxShowBytes } from "../project/bst-show.ts";
import { readAttachments } from "../release/attachment.ts";
import { parseBstShow, type ShownElement } from "../release/bst-show.ts";
import { parseMetadata } from "../release/commit-metadata.ts";
import type { ReleaseRequest } from "../release/compose.ts";
import type { ManifestArtifact } from "../release/manifest.ts";
import { releasedArtifact } from "../release/release-artifact.ts";
import { checkBranches, checkVersion } from "../release/release-names.ts";
import { type Origins, originsOfShow } from "../release/show-check.ts";
import { artifactToRelease } from "./release-artifact.ts";
import { addRepositoryFlags, type ReleaseFlags } from "./release-options.ts";
import { repeated } from "./repeated.ts";

/** What describes a release on the command line. */
export interface RequestFlags extends ReleaseFlags {
  readonly store?: string;
  readonly instance?: string;
  readonly project?: string;
  readonly tree?: string;
  readonly branch?: readonly string[];
  readonly version?: string;
  readonly title?: string;
  readonly subject?: string;
  readonly body?: string;
  readonly timestamp?: number;
  readonly metadata?: readonly string[];
  readonly show?: string;
  readonly attach?: readonly string[];
  readonly force?: true;
  readonly dryRun?: true;
}

/** Gives a command the flags that describe a release. */
export function addRequestFlags(command: Command): Command {
  const described = command
    .argument("[ELEMENT|PROJECT/ELEMENT/KEY]", "What to release: an element's newest complete artifact, or that one")
    .requiredOption("--branch <NAME>", "The branch to release on; can be repeated: all of them move, or none", repeated)
    .option("--version <TEXT>", "The version")
    .option("--tree <DIR>", "Release this directory instead of an artifact")
    .option("--project <NAME>", "The element's project, where several have one of that name")
    .option(
      "--store <DIR>",
      "The store with the artifact; its server may be running (default: what the configuration says)",
    )
    .option("--instance <NAME>", "The instance name, where the store has several")
    .option("--title <TEXT>", "What the release is called: ostree.source-title")
    .option("--subject <LINE>", "The commit's first line (default: title or element, and version)")
    .option("--body <TEXT>", "The rest of the commit's message")
    .option(
      "--timestamp <TIME>",
      "Seconds since 1970, or as 2024-08-01T12:00:00Z (default: SOURCE_DATE_EPOCH, or now)",
      parseTime,
    )
    .option("--metadata <KEY=VALUE>", "A text for commit and manifest; can be repeated", repeated)
    .option("--show <FILE>", "What `bst show` printed about the element, for sources and dependencies")
    .option("--attach <[NAME=]FILE>", "A file to put beside the release, such as an SBOM; can be repeated", repeated)
    .option("--force", "Also where a branch has this version with other content")
    .option("--dry-run", "Say what would be released, and write nothing");
  return addRepositoryFlags(described);
}

const timeText = "seconds since 1970, or as 2024-08-01T12:00:00Z";

/** The parser of an option that is a time. */
export function parseTime(text: string): number {
  const seconds = secondsIn(text);
  if (seconds === undefined) throw new InvalidArgumentError(`It is ${timeText}.`);
  return seconds;
}

function secondsIn(text: string): number | undefined {
  const isDate = /^\d{4}-\d{2}-\d{2}(T.*)?$/.test(text);
  const seconds = /^\d{1,12}$/.test(text) ? Number(text) : isDate ? Date.parse(text) / 1000 : Number.NaN;
  return seconds >= 0 ? Math.floor(seconds) : undefined;
}

/** The time of what is made now: seconds since 1970 (https://reproducible-builds.org/specs/source-date-epoch). Errors: `invalid`. */
export function timeOf(timestamp: number | undefined): number {
  const epoch = process.env.SOURCE_DATE_EPOCH ?? "";
  if (timestamp !== undefined || epoch === "") return timestamp ?? Math.floor(systemClock() / 1000);
  const seconds = secondsIn(epoch);
  if (seconds !== undefined) return seconds;
  throw new StillageError("invalid", `SOURCE_DATE_EPOCH is ${JSON.stringify(epoch)}, and not ${timeText}`);
}

export interface Requested extends Disposable {
  readonly request: ReleaseRequest;
  /** What only the artifact or only `bst show` says, and the like. */
  readonly notes: readonly string[];
}

/** What flags and argument ask for. What it reads from is open until it is disposed of. Errors: those of all that is read. */
export async function requestOf(what: string | undefined, flags: RequestFlags, store: string): Promise<Requested> {
  if ((what === undefined) === (flags.tree === undefined)) {
    throw new StillageError(
      "invalid",
      what === undefined ? "nothing to release is named" : "both an artifact and a directory are named",
      {
        hint: "name an element, PROJECT/ELEMENT/KEY, or --tree DIR",
      },
    );
  }
  const branches = checkBranches(flags.branch ?? []);
  const version = flags.version === undefined ? undefined : checkVersion(flags.version);
  const title = flags.title === undefined ? undefined : checkLine("title", flags.title);
  const subject = flags.subject === undefined ? undefined : checkLine("subject", flags.subject);
  const metadata = parseMetadata(flags.metadata ?? []);
  const timestamp = timeOf(flags.timestamp);
  const shown = flags.show === undefined ? undefined : await readShow(flags.show);
  const attachments = await readAttachments(flags.attach ?? []);
  const content =
    flags.tree === undefined ? await fromStore(what ?? "", flags, store, shown) : await fromTree(flags.tree, shown);
  const { tree, artifact, origins, notes, logs } = content;
  const { body = "", force = false } = flags;
  if (Buffer.byteLength(body) > maxBody || body.includes("\0"))
    throw new StillageError("invalid", `a body has up to ${maxBody} bytes, and no NUL`);
  return {
    request: {
      branches,
      version,
      title,
      subject,
      body,
      timestamp,
      metadata,
      tree,
      artifact,
      origins,
      attachments,
      force,
      ...(logs === undefined ? {} : { logs }),
    },
    notes: [...origins.notes, ...notes],
    [Symbol.dispose]: content[Symbol.dispose],
  };
}

const maxBody = 64 << 10;

interface Content extends Disposable {
  readonly tree: DirectoryEntry;
  readonly artifact: ManifestArtifact | undefined;
  readonly origins: Origins;
  readonly logs?: Readonly<Record<string, string>>;
  readonly notes: readonly string[];
}

async function fromStore(
  what: string,
  { instance, project }: RequestFlags,
  store: string,
  shown: readonly ShownElement[] | undefined,
): Promise<Content> {
  const opened = openCatalogue(store, instance);
  try {
    const { found, content } = await artifactToRelease(opened, what, project);
    const released = await releasedArtifact(opened.blobs, found, content, shown);
    const notes = [...content.problems];
    if (content.build.workspaced)
      notes.push("the artifact was built in a workspace: nobody can build it again from its key");
    return { ...released, notes, [Symbol.dispose]: () => opened[Symbol.dispose]() };
  } catch (error) {
    opened[Symbol.dispose]();
    throw error;
  }
}

async function fromTree(directory: string, shown: readonly ShownElement[] | undefined): Promise<Content> {
  const path = resolve(directory);
  const stats = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") throw new StillageError("not-found", `there is no directory ${path}`);
    throw fromFileSystem(error, `the directory ${path} cannot be read`);
  });
  if (!stats.isDirectory()) throw new StillageError("invalid", `${path} is not a directory`);
  const nothing: Origins = { kind: undefined, sources: null, dependencies: null, notes: [] };
  const origins = shown === undefined ? nothing : originsOfShow(shown);
  return { tree: await directoryTree(path), artifact: undefined, origins, notes: [], [Symbol.dispose]: () => {} };
}

async function readShow(path: string): Promise<ShownElement[]> {
  try {
    const { size } = await stat(path);
    if (size > maxShowBytes)
      throw new StillageError("invalid", `${path} has ${size} bytes, and up to ${maxShowBytes} are read`);
    return parseBstShow(await readFile(path, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT")
      throw new StillageError("not-found", `there is no file ${path}`);
    throw fromFileSystem(error, `${path} cannot be read`);
  }
}

const maxLine = 1000;

function checkLine(what: string, text: string): string {
  if (text !== "" && text.length <= maxLine && !/\p{Cc}/u.test(text)) return text;
  throw new StillageError("invalid", `a ${what} is one line of up to ${maxLine} characters`);
}
