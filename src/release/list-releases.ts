import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fromFileSystem } from "../base/errors.ts";
import type { ArchiveRepository } from "../ostree/archive/archive-repository.ts";
import { decodeDetached, signaturesIn } from "../ostree/detached.ts";
import { verifyEd25519 } from "../ostree/ed25519.ts";
import { publicKeyText } from "../ostree/ed25519-files.ts";
import { hashFile } from "./file-hash.ts";
import { allReleases } from "./history.ts";
import { filesOfKey } from "./key-files.ts";
import type { Manifest } from "./manifest.ts";
import { parseManifest } from "./manifest-file.ts";
import { type PublicKey, readKeyDirectory } from "./public-keys.ts";
import type { ListedFile, ListedKey, ListedRelease, ListedSigner, ReleaseList } from "./release-list.ts";
import type { ReleaseRecord } from "./release-record.ts";
import { type ReleaseLayout, releaseFiles } from "./release-repository.ts";
import { gpgKeyOf, issuerOf } from "./verifier.ts";

/** What the page says besides what there is. */
export type PageTitle = Pick<ReleaseList, "name" | "title" | "description" | "url">;

/** Where the parts of what is published are. */
export type PublicLayout = Pick<ReleaseLayout, "keys" | "release">;

/** All releases of a repository, the newest first: equal repositories give equal lists. */
export async function listReleases(
  layout: PublicLayout,
  title: PageTitle,
  archive: ArchiveRepository,
): Promise<ReleaseList> {
  const keys = await readKeyDirectory(layout.keys);
  const keyFiles = await namesIn(layout.keys);
  const refs = await archive.refs();
  const releases: ListedRelease[] = [];
  for await (const record of allReleases(archive)) {
    const current = refs.get(record.branch)?.commit === record.commit;
    const signers = await signersOf(archive, record.commit, keys);
    releases.push({ ...describe(record), current, signers, ...(await filesBeside(layout, record)) });
  }
  // Stable: the releases of a branch come newest first, and stay so where times are equal.
  releases.sort((a, b) => Date.parse(b.date) - Date.parse(a.date));
  return { listVersion: 1, ...title, keys: keys.map((key) => describeKey(key, keyFiles)), releases };
}

function describe(record: ReleaseRecord): Omit<ListedRelease, "current" | "signers" | keyof Beside> {
  return {
    branch: record.branch,
    version: record.version ?? null,
    commit: record.commit,
    content: record.contentChecksum,
    date: dateOf(record.timestamp),
    subject: record.subject,
    endOfLife: record.endOfLife ?? null,
    rebase: record.endOfLifeRebase ?? null,
  };
}

/** The last second that a Date can be. */
const maxSeconds = 8_640_000_000_000;

function dateOf(seconds: number): string {
  return new Date(Math.min(seconds, maxSeconds) * 1000).toISOString().replace(".000Z", "Z");
}

/** Whose signatures a commit has: of GPG what they say themselves, because nothing that is read here is relied upon. */
async function signersOf(
  archive: ArchiveRepository,
  commit: string,
  keys: readonly PublicKey[],
): Promise<ListedSigner[]> {
  const detached = await archive.readDetached(commit);
  if (detached === undefined) return [];
  const metadata = decodeDetached(detached);
  const bytes = (await archive.readMetadata(commit, "commit")) ?? new Uint8Array();
  const gpg = signaturesIn(metadata, "gpg").map((signature): ListedSigner => {
    const issuer = issuerOf(signature);
    const key = gpgKeyOf(keys, issuer);
    return { kind: "gpg", name: key?.name ?? null, id: key?.id ?? issuer ?? null };
  });
  const ed25519 = signaturesIn(metadata, "ed25519").map((signature): ListedSigner => {
    const key = keys.find((each) => each.kind === "ed25519" && verifyEd25519(each.key, bytes, signature));
    return { kind: "ed25519", name: key?.name ?? null, id: key?.id ?? null };
  });
  return [...gpg, ...ed25519];
}

function describeKey(key: PublicKey, there: readonly string[]): ListedKey {
  const names = [...filesOfKey(key).keys(), `${key.name}.asc`].filter((name) => there.includes(name));
  return {
    kind: key.kind,
    name: key.name,
    id: key.id,
    files: names.map((name) => `keys/${name}`),
    inline: key.kind === "ed25519" ? publicKeyText(key.key) : null,
  };
}

type Beside = Pick<ListedRelease, "manifest" | "provenance" | "files">;

async function filesBeside(layout: PublicLayout, record: ReleaseRecord): Promise<Beside> {
  const { commit } = record;
  const directory = layout.release(commit);
  const names = await namesIn(directory);
  const path = (name: string): string => `releases/${commit}/${name}`;
  const file = async (name: string, mediaType: string): Promise<ListedFile | null> => {
    const hash = names.includes(name) ? await hashFile(join(directory, name)) : undefined;
    return hash === undefined ? null : { name, path: path(name), ...hash, mediaType };
  };
  const manifest = await file(releaseFiles.manifest, "application/json");
  const yaml = await file(releaseFiles.manifestYaml, "application/yaml");
  // Attachments may be large, and were hashed when they were taken: what the commit's own manifest says of them is so.
  const own = manifest !== null && manifest.sha256 === record.manifest;
  const attached = own ? await attachmentsOf(join(directory, releaseFiles.manifest)) : [];
  const attachments = attached.flatMap(({ name, sha256, size, mediaType }): ListedFile[] =>
    names.includes(name) ? [{ name, path: path(name), sha256, size, mediaType }] : [],
  );
  return {
    manifest,
    provenance: await file(releaseFiles.provenance, "application/vnd.in-toto.provenance+dsse"),
    files: [...(yaml === null ? [] : [yaml]), ...attachments],
  };
}

/** None of one that cannot be read, wherever it came from: the page has to be made all the same. */
async function attachmentsOf(manifest: string): Promise<Manifest["attachments"]> {
  const bytes = await readFile(manifest);
  try {
    return parseManifest(bytes).attachments;
  } catch {
    return [];
  }
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw fromFileSystem(error, `${directory} cannot be listed`);
  }
}
