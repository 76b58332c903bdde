import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { ArchiveRepository } from "../ostree/archive/archive-repository.ts";
import { allReleases } from "./history.ts";
import { filesOfKey } from "./key-files.ts";
import type { PublicKey } from "./public-keys.ts";
import type { PageLayout } from "./verify-page.ts";
import type { Findings } from "./verify-report.ts";

const inPublic = new Set(["repo", "releases", "keys", "index.html", "releases.json"]);

/** What an OSTree repository has; `.lock` and what is in `tmp` and `state` are of whoever writes to it. */
const inRepository = new Set([
  ...["config", "summary", "summary.sig", "objects", "refs", "state", "tmp", "extensions", ".lock"],
  ...["deltas", "delta-indexes", "uncompressed-objects-cache"],
]);

const objectName = /^[0-9a-f]{62}\.(?:commit|commitmeta|dirtree|dirmeta|filez|tombstone-commit|sig|payload-link)$/;

/** Finds what lies in a copy that is no part of a release repository: whoever may write to it can serve it under its address. */
export async function verifyStray(
  layout: PageLayout,
  archive: ArchiveRepository,
  keys: readonly PublicKey[],
  findings: Findings,
): Promise<void> {
  const fail = (path: string): void => findings.failed(path, "it is no part of a release repository");
  for (const name of await namesIn(layout.public)) {
    if (!inPublic.has(name)) findings.unchecked(name, "it is no part of a release repository");
  }
  await strayReleases(layout, archive, findings);
  const files = new Set(keys.flatMap((key) => [...filesOfKey(key).keys(), `${key.name}.asc`]));
  for (const name of await namesIn(layout.keys)) {
    if (files.has(name)) continue;
    if (files.has(name.replace(/\.new$/, "")))
      findings.unchecked(`keys/${name}`, "somebody who wrote it was cut short");
    else fail(`keys/${name}`);
  }
  for (const name of await namesIn(archive.directory)) if (!inRepository.has(name)) fail(`repo/${name}`);
  for (const folder of await namesIn(join(archive.directory, "objects"))) {
    const fine = /^[0-9a-f]{2}$/.test(folder);
    const inside = fine ? await namesIn(join(archive.directory, "objects", folder)) : [];
    if (!fine) fail(`repo/objects/${folder}`);
    for (const name of inside) if (!objectName.test(name)) fail(`repo/objects/${folder}/${name}`);
  }
  for (const name of ["deltas", "delta-indexes"]) {
    const there = await namesIn(join(archive.directory, name));
    if (there.length > 0) findings.unchecked(`repo/${name}`, "static deltas are not looked into");
  }
}

async function strayReleases(layout: PageLayout, archive: ArchiveRepository, findings: Findings): Promise<void> {
  const known = new Set<string>();
  try {
    for await (const { commit } of allReleases(archive)) known.add(commit);
  } catch (error) {
    return findings.unchecked("releases", `what belongs there is not known: ${(error as Error).message}`);
  }
  for (const name of await namesIn(layout.releases)) {
    const path = `releases/${name}`;
    if (known.has(name)) continue;
    if (!/^[0-9a-f]{64}$/.test(name)) findings.failed(path, "it is no part of a release repository");
    else findings.unchecked(path, "no release here is of this commit: it may be one that was never published");
  }
}

/** None of what is no directory. */
async function namesIn(directory: string): Promise<readonly string[]> {
  return (await readdir(directory).catch(() => [])).sort();
}
