import { randomBytes } from "node:crypto";
import { fstatSync, openSync, readdirSync, renameSync, rmSync, type Stats, statSync, unlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { StillageError } from "../../base/errors.ts";
import { Slices } from "../../base/slices.ts";
import { tarEnd, tarHeader, tarPadding } from "../../base/tar/tar-writer.ts";
import { closeFile, readFully, syncData, syncDirectory } from "../../store/disk/file-io.ts";
import { type Extent, readFullySync, type TarContents } from "./tar-contents.ts";
import { pathOfMember, shelves, type TarMember, tarLayouts } from "./tar-members.ts";
import { TrailingWriter } from "./trailing-writer.ts";

const refMode = 0o644;

/** Small entries are written together, and large ones in such pieces. */
const pieceBytes = 4 << 20;

/** Up to this a blob is read at once: it lies in the memory of the system mostly, where a thread that reads it takes ten times as long to be asked. */
const maxSyncBytes = 64 << 10;

/** A file that nobody has written to for so long is that of a program that was killed. */
const abandonedMs = 3_600_000;

/**
 * Writes an archive in one order, whatever order its contents came in: objects by their hashes, then what they are called, so that whoever unpacks half of it has no name for
 * what is not there. Two archives with the same artifacts are the same bytes. It takes the place of what was at `path` once it is whole and on the disk, and what it is then is given; a
 * crash before leaves `PATH.RANDOM.part`, which the next one to write takes away after an hour. `check` is asked just before that, and what it throws leaves all as it was. Errors: those of the file system.
 */
export async function writeTar(path: string, contents: TarContents, check: () => void): Promise<Stats> {
  removeAbandoned(path);
  const temporary = `${path}.${randomBytes(6).toString("hex")}.part`;
  const fd = openSync(temporary, "wx");
  const remove = (): void => rmSync(temporary, { force: true });
  // Nobody waits for this where a second signal ends the process.
  process.once("exit", remove);
  const out = new TrailingWriter(fd, 0, pieceBytes);
  let written: Stats;
  try {
    const slices = new Slices();
    for (const { member, extent, mode } of entriesOf(contents)) {
      if (slices.over) await slices.rest();
      await out.add(tarHeader({ path: pathOfMember(member), kind: "file", mode, size: extent.size, modified: 0 }));
      await copy(extent, out);
      await out.add(tarPadding(extent.size));
    }
    await out.add(tarEnd(out.end));
    await out.flush();
    await syncData(fd);
    written = fstatSync(fd);
    check();
    // At once: nobody comes in between who is not seen.
    renameSync(temporary, path);
  } catch (error) {
    remove();
    throw error;
  } finally {
    process.off("exit", remove);
    await out.rest();
    await closeFile(fd);
  }
  await syncDirectory(dirname(path));
  return written;
}

function removeAbandoned(path: string): void {
  const beginning = `${basename(path)}.`;
  try {
    for (const name of readdirSync(dirname(path))) {
      if (!name.startsWith(beginning) || !/^[0-9a-f]{12}\.part$/.test(name.slice(beginning.length))) continue;
      const file = join(dirname(path), name);
      if (statSync(file).mtimeMs < Date.now() - abandonedMs) unlinkSync(file);
    }
  } catch {
    // Gone meanwhile, or another's, or in a directory that nobody may list: it is in nobody's way.
  }
}

interface Entry {
  readonly member: TarMember;
  readonly extent: Extent;
  readonly mode: number;
}

/** Of what is there now: a name that comes while the archive is written would have no objects before it. */
function entriesOf(contents: TarContents): Iterable<Entry> {
  const now = shelves.map((shelf) => ({
    ...{ shelf, mode: tarLayouts[shelf].objectMode },
    ...{ objects: sorted(contents[shelf].objects), refs: sorted(contents[shelf].refs) },
  }));
  return (function* () {
    for (const { shelf, mode, objects } of now) {
      for (const [hash, extent] of objects) yield { member: { kind: "object", shelf, hash }, extent, mode };
    }
    for (const { shelf, refs } of now) {
      for (const [path, extent] of refs) yield { member: { kind: "ref", shelf, path }, extent, mode: refMode };
    }
  })();
}

function sorted(extents: ReadonlyMap<string, Extent>): [string, Extent][] {
  return [...extents].sort(([a], [b]) => (a < b ? -1 : 1));
}

async function copy({ fd, offset, size }: Extent, out: TrailingWriter): Promise<void> {
  for (let at = 0; at < size; ) {
    const part = (await out.room()).subarray(0, size - at);
    const count =
      part.length <= maxSyncBytes ? readFullySync(fd, part, offset + at) : await readFully(fd, part, offset + at);
    if (count < part.length) throw new StillageError("corrupt", "the archive was cut short while it was read");
    out.added(part.length);
    at += part.length;
  }
}
