import type { ArchiveRepository } from "../ostree/archive/archive-repository.ts";
import { listReleases, type PageTitle } from "./list-releases.ts";
import { releasesPage } from "./page.ts";
import { encodeReleaseList } from "./release-list.ts";
import type { ReleaseRepository } from "./release-repository.ts";
import { replaceFile } from "./replace-file.ts";

/**
 * Makes `releases.json` and the page say what the repository has. Each is replaced as a whole; a crash in between leaves one of them older
 * than the other, which the next call mends.
 */
export async function writePage(repository: ReleaseRepository, archive: ArchiveRepository): Promise<void> {
  const list = await listReleases(repository.layout, titleOf(repository), archive);
  await replaceFile(repository.layout.list, encodeReleaseList(list));
  await replaceFile(repository.layout.page, Buffer.from(releasesPage(list)));
}

function titleOf({ name, settings }: ReleaseRepository): PageTitle {
  const { title, description, url } = settings;
  return { name, title, description: description ?? null, url: url ?? null };
}
