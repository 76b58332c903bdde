import { readFile, stat } from "node:fs/promises";
import type { ArchiveRepository } from "../ostree/archive/archive-repository.ts";
import { pemAgrees } from "./key-files.ts";
import { listReleases, type PageTitle } from "./list-releases.ts";
import { releasesPage } from "./page.ts";
import { type PublicKey, readKeyDirectory } from "./public-keys.ts";
import { encodeReleaseList, type ReleaseList } from "./release-list.ts";
import type { ReleaseLayout } from "./release-repository.ts";
import type { Findings } from "./verify-report.ts";
import { verifyStray } from "./verify-stray.ts";

export type PageLayout = Pick<ReleaseLayout, "public" | "list" | "page" | "keys" | "releases" | "release">;

/**
 * Verifies that page and list say what the repository has, by making them once more, and that nothing else is there. Where keys were given, those that lie here have to be
 * among them: the page tells strangers to trust them.
 */
export async function verifyPage(
  layout: PageLayout,
  archive: ArchiveRepository,
  given: readonly PublicKey[] | undefined,
  findings: Findings,
): Promise<void> {
  const stored = await readBounded(layout.list);
  const title = stored && titleIn(stored);
  if (stored === undefined) findings.unchecked("releases.json", "there is none");
  else if (title === undefined) findings.failed("releases.json", "it cannot be read");
  else await compare(layout, archive, stored, title, findings);
  const keys = await verifyKeyFiles(layout, findings);
  for (const { name, id } of keys) {
    if (given === undefined || given.some((each) => each.id === id)) continue;
    findings.unchecked(`keys/${name}`, `the key ${id} is none of those given, and the page tells others to trust it`);
  }
  await verifyStray(layout, archive, keys, findings);
}

async function compare(
  layout: PageLayout,
  archive: ArchiveRepository,
  stored: Uint8Array,
  title: PageTitle,
  findings: Findings,
): Promise<void> {
  let list: ReleaseList;
  try {
    list = await listReleases(layout, title, archive);
  } catch (error) {
    return findings.unchecked("releases.json", `it cannot be compared: ${(error as Error).message}`);
  }
  const page = await readBounded(layout.page);
  const same = Buffer.compare(encodeReleaseList(list), stored) === 0;
  if (!same) findings.failed("releases.json", "it does not say what the repository has");
  if (page === undefined) findings.unchecked("index.html", "there is none");
  else if (page.toString() !== releasesPage(list))
    findings.failed("index.html", "it does not say what the repository has");
  else if (same) findings.ok("index.html", "page and list say what the repository has");
  findings.unchecked("releases.json", "title, description and address: nobody signs them");
}

/** A page of ten thousand releases has some 20 MB. */
const maxBytes = 256 << 20;

async function readBounded(path: string): Promise<Buffer | undefined> {
  const stats = await stat(path).catch(() => undefined);
  return stats?.isFile() && stats.size <= maxBytes ? readFile(path) : undefined;
}

function titleIn(bytes: Uint8Array): PageTitle | undefined {
  try {
    const { name, title, description, url } = JSON.parse(Buffer.from(bytes).toString()) as PageTitle;
    const text = (value: unknown) => value === null || typeof value === "string";
    const fine = typeof name === "string" && typeof title === "string" && text(description) && text(url);
    return fine ? { name, title, description, url } : undefined;
  } catch {
    return undefined;
  }
}

/** A key that was changed is another key, which signed nothing; here is seen what else can be wrong with the files. */
async function verifyKeyFiles({ keys: directory }: PageLayout, findings: Findings): Promise<readonly PublicKey[]> {
  try {
    const keys = await readKeyDirectory(directory);
    for (const key of keys) {
      if ((await pemAgrees(directory, key)) === false) {
        findings.failed(`keys/${key.name}.pem`, `it is not the key of ${key.name}.ed25519`);
      }
    }
    return keys;
  } catch (error) {
    findings.failed("keys", (error as Error).message);
    return [];
  }
}
