import { type Command, Option } from "commander";
import { type TreeName, treeNames } from "../artifact/artifact-content.ts";
import { systemClock } from "../base/clock.ts";
import { StillageError } from "../base/errors.ts";
import { readArtifactText } from "../client/artifact-text.ts";
import { checkoutDirectory } from "../client/checkout/checkout-directory.ts";
import {
  type Compression,
  compressedTar,
  compressionOf,
  compressions,
  writeArchive,
} from "../client/checkout/checkout-tar.ts";
import type { FillOptions } from "../client/checkout/tree-files.ts";
import type { Place } from "../client/place.ts";
import { treeOf } from "../client/reading/open-artifact.ts";
import { treeTotals } from "../client/reading/tree-paths.ts";
import { TransferProgress, type TransferState } from "../client/transfer/transfer-progress.ts";
import { namedArtifact } from "./artifact-names.ts";
import { type PlaceFlags, type ReadingPlaces, withPlaces } from "./artifact-places.ts";
import { exitStatus } from "./exit-status.ts";
import { counted, humanSize } from "./human-text.ts";
import { writerOf } from "./output.ts";
import { showLine } from "./progress-line.ts";
import { readingCommand } from "./reading-command.ts";

interface Options extends PlaceFlags {
  readonly tar?: string;
  readonly compression?: Compression;
  readonly hardlinks?: true;
  readonly force?: true;
  readonly tree: TreeName;
}

/** `stillage artifact checkout NAME [DIR]`. */
export function artifactCheckoutCommand(end: (status: number) => void): Command {
  return readingCommand("checkout", "Write the files of an artifact to a directory or an archive", "<NAME>", {
    notes: [
      "What is written is what `bst artifact checkout --deps none --no-integrate` writes: the artifact alone, without what it needs. A directory gets its name when all is in it; links are written as they are and never followed. Archives of one artifact are the same bytes each time, and the same as BuildStream's.",
    ],
    examples: [
      { says: "Into a directory, from wherever it is found", run: "stillage artifact checkout os/image/4f6e0c image" },
      {
        says: "As an archive, through another program",
        run: "stillage artifact checkout image.bst --tar - | zstd > image.tar.zst",
      },
      { says: "What a failed build left", run: "stillage artifact checkout os/image/4f6e0c left --tree buildtree" },
    ],
  })
    .argument("[DIR]", "The directory: empty, or not there yet")
    .option("--tar <FILE>", "Write a tar archive to this file, or with - to standard output, in place of a directory")
    .addOption(
      new Option("--compression <FORMAT>", "Compress the archive (default: as its name ends)").choices(compressions),
    )
    .option("--hardlinks", "Make links to the objects of the local cache in place of copies: nothing may write to them")
    .option(
      "-f, --force",
      "Write to a directory that is not empty, replacing what is in the way, or replace the archive",
    )
    .addOption(new Option("--tree <TREE>", "Which of its trees").choices(treeNames).default("files"))
    .action(async (name: string, directory: string | undefined, options: Options) => {
      end(await withPlaces(options, (places) => checkout(places, name, directory, options)));
    });
}

async function checkout(
  places: ReadingPlaces,
  name: string,
  directory: string | undefined,
  options: Options,
): Promise<number> {
  const { tar, hardlinks, force = false, signal } = { ...options, signal: places.signal };
  const problem = usageProblem(directory, options);
  if (problem !== undefined) throw new StillageError("invalid", problem);
  const compression = tar === undefined ? undefined : compressionOf(tar, options.compression);
  const objectPath = hardlinks ? objectsOf(places.place) : undefined;
  const open = await namedArtifact(places, name).catch((error: unknown) => {
    throw inOtherOrder(name, directory, places) ?? error;
  });
  if (hardlinks && open.artifact.generation === "1.0") {
    throw new StillageError("unsupported", "artifacts of BuildStream 1.0 are stored deflated, and cannot be linked to");
  }
  const tree = await treeOf(open, options.tree, signal);
  const progress = new TransferProgress(systemClock);
  const { files, bytes } = treeTotals(tree);
  progress.found(files, bytes);
  const fill: FillOptions = { signal, objectPath, onProgress: (done, moved) => progress.moved(done, moved) };
  const line = showLine(() => progressText(progress.state()), process.stderr);
  try {
    if (tar === undefined) {
      await checkoutDirectory(directory ?? "", tree, open.files, { ...fill, force });
    } else {
      const archive = compressedTar(tree, open.files, compression, fill);
      if (tar === "-") await toStandardOutput(archive);
      else await writeArchive(tar, archive, force);
    }
  } finally {
    line[Symbol.dispose]();
  }
  return exitStatus.done;
}

/** Says so to whoever named the directory first. */
function inOtherOrder(name: string, directory: string | undefined, { ofElement }: ReadingPlaces): Error | undefined {
  const isName = (text: string): boolean => {
    try {
      readArtifactText(text, ofElement !== undefined);
      return true;
    } catch {
      return false;
    }
  };
  if (directory === undefined || isName(name) || !isName(directory)) return undefined;
  return new StillageError("invalid", `${JSON.stringify(name)} is not PROJECT/ELEMENT/KEY`, {
    hint: `the artifact comes first, then the directory: stillage artifact checkout ${directory} ${name}`,
  });
}

function usageProblem(directory: string | undefined, { tar, compression, hardlinks }: Options): string | undefined {
  if (directory === undefined && tar === undefined) return "say where to: a directory, or --tar FILE";
  if (directory !== undefined && tar !== undefined) return "a directory and --tar exclude each other";
  if (tar !== undefined && hardlinks) return "--tar and --hardlinks exclude each other";
  if (tar === undefined && compression !== undefined) return "--compression is for archives: it needs --tar";
  return undefined;
}

/** Where the objects of a local cache lie. Errors: `failed-precondition` for other places. */
function objectsOf(place: Place): FillOptions["objectPath"] {
  const { objectPath } = place as Place & Pick<FillOptions, "objectPath">;
  if (objectPath !== undefined) return objectPath;
  throw new StillageError("failed-precondition", `--hardlinks needs a local cache, and ${place.name} is none`, {
    hint: "pull the artifact to the local cache first, or check out without --hardlinks",
  });
}

async function toStandardOutput(archive: AsyncIterable<Uint8Array>): Promise<void> {
  if (process.stdout.isTTY) {
    throw new StillageError("invalid", "an archive is nothing for a terminal", {
      hint: "send it to a file or a program",
    });
  }
  const write = writerOf(process.stdout);
  for await (const piece of archive) if (!(await write(piece))) return;
}

function progressText({ blobs, bytes, bytesPerSecond, secondsLeft }: TransferState): string {
  const rate = bytesPerSecond === undefined ? "" : `, ${humanSize(Math.round(bytesPerSecond))}/s`;
  const left = secondsLeft === undefined ? "" : `, ${Math.ceil(secondsLeft)} s left`;
  return `${blobs.done} of ${counted(blobs.all, "file")}, ${humanSize(bytes.done)} of ${humanSize(bytes.all)}${rate}${left}`;
}
