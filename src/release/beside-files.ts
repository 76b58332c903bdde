import { copyFile, link, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fromFileSystem, StillageError } from "../base/errors.ts";
import { makeFolder } from "../base/make-folder.ts";
import { syncDirectory, writeNewFile } from "../ostree/archive/durable-file.ts";
import { type Manifest, manifestDigest } from "./manifest.ts";
import { parseManifest } from "./manifest-file.ts";
import type { PreparedRelease, SignedCommit } from "./prepared.ts";
import { attachmentFile } from "./prepared-files.ts";
import { type ReleaseLayout, releaseFiles } from "./release-repository.ts";

/** A manifest of ten thousand sources is 5 MB. */
const maxManifestBytes = 256 << 20;

/**
 * Puts beside the repository what a release has besides its tree, a directory for each commit. Each is whole when it gets its name; a crash before that leaves
 * one in `prepared/` whose name begins with a dot, and one after it a directory that no branch leads to: both are harmless, and made anew or removed.
 */
export async function writeBeside(
  layout: ReleaseLayout,
  prepared: PreparedRelease,
  signed: readonly SignedCommit[],
): Promise<void> {
  try {
    await makeFolder(layout.releases);
    for (const { commit } of prepared.commits) {
      const staged = join(layout.prepared, `.beside-${commit}`);
      await rm(staged, { recursive: true, force: true });
      await makeFolder(staged);
      if (prepared.manifest !== undefined) {
        for (const name of [releaseFiles.manifest, releaseFiles.manifestYaml]) {
          await place(join(prepared.directory, name), join(staged, name));
        }
        for (const { name } of prepared.attachments) await place(attachmentFile(prepared, name), join(staged, name));
      }
      const envelope = signed.find((each) => each.commit === commit)?.envelope;
      if (envelope !== undefined) await writeNewFile(join(staged, releaseFiles.provenance), envelope);
      await syncDirectory(staged);
      const target = layout.release(commit);
      await rm(target, { recursive: true, force: true });
      await rename(staged, target);
    }
    await syncDirectory(layout.releases);
  } catch (error) {
    throw fromFileSystem(error, `the files beside the release cannot be written to ${layout.releases}`);
  }
}

/** The same file under another name: by a link, and where the file system has none by a copy. */
async function place(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (!["EPERM", "ENOTSUP", "EXDEV", "EMLINK"].includes(code)) throw error;
    await copyFile(from, to);
    const file = await open(to, "r+");
    await file.datasync();
    await file.close();
  }
}

/**
 * The manifest of a release; `undefined` where the commit names none, or it is not here. Errors: `corrupt` where it is not the one that the commit names, `invalid` where that
 * is no manifest.
 */
export async function readManifest(
  layout: ReleaseLayout,
  commit: string,
  digest: string | undefined,
): Promise<{ readonly manifest: Manifest; readonly bytes: Uint8Array } | undefined> {
  if (digest === undefined) return undefined;
  const path = join(layout.release(commit), releaseFiles.manifest);
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw fromFileSystem(error, `the manifest ${path} cannot be read`);
  });
  if (bytes === undefined) return undefined;
  if (bytes.length > maxManifestBytes || manifestDigest(bytes) !== digest) {
    throw new StillageError("corrupt", `${path} is not the manifest that the commit names`, {
      hint: "take it from a mirror of the repository",
    });
  }
  return { manifest: parseManifest(bytes), bytes };
}
