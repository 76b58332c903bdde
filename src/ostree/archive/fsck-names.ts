import { decodeDetached } from "../detached.ts";
import type { Checksum } from "../object-name.ts";
import { decodeSummary } from "../summary.ts";
import type { ArchiveRepository } from "./archive-repository.ts";
import { type Findings, textOf } from "./fsck-findings.ts";
import { otherHeads, readOtherHead, readRef, refNames } from "./ref-files.ts";
import type { StoredFile } from "./stored-objects.ts";

/** Checks what is among the objects without being one: the detached metadata of a commit. */
export async function checkBeside(
  repository: ArchiveRepository,
  { path, besideCommit }: StoredFile,
  findings: Findings,
): Promise<void> {
  if (besideCommit === undefined) findings.tell("foreign", path, "it is no object of an archive repository");
  if (besideCommit === undefined || !path.endsWith(".commitmeta")) return;
  try {
    const bytes = await repository.readDetached(besideCommit);
    if (bytes !== undefined) decodeDetached(bytes);
  } catch (error) {
    findings.tell("damaged", path, textOf(error));
  }
}

/** Checks that each ref leads to a commit, and that the summary knows it. Gives how many there are. */
export async function checkRefs(repository: ArchiveRepository, findings: Findings): Promise<number> {
  const refs = new Map<string, Checksum>();
  for (const name of await refNames(repository.directory)) {
    try {
      const ref = await readRef(repository.directory, name);
      if (ref === undefined) continue;
      refs.set(name, ref.commit);
      checkHead(repository, name, ref.commit, findings);
    } catch (error) {
      findings.tell("ref", name, textOf(error));
    }
  }
  for (const name of await otherHeads(repository.directory)) {
    try {
      const commit = await readOtherHead(repository.directory, name);
      if (commit === undefined) continue;
      checkHead(repository, name, commit, findings);
      if (name.startsWith("heads/")) findings.tell("foreign", name, "its name is none that a ref can have");
    } catch (error) {
      findings.tell("ref", name, textOf(error));
    }
  }
  await checkSummary(repository, refs, findings);
  return refs.size;
}

function checkHead(repository: ArchiveRepository, name: string, commit: Checksum, findings: Findings): void {
  if (!repository.has(commit, "commit")) findings.tell("ref", name, `there is no commit ${commit}`);
  else if (repository.isPartial(commit)) findings.tell("ref", name, `the commit ${commit} is not whole`);
}

async function checkSummary(
  repository: ArchiveRepository,
  refs: ReadonlyMap<string, Checksum>,
  findings: Findings,
): Promise<void> {
  try {
    const summary = await repository.summary();
    if (summary === undefined) return;
    const listed = new Map(decodeSummary(summary.bytes).refs.map(({ name, commit }) => [name, commit]));
    const differ = [...new Set([...refs.keys(), ...listed.keys()])].filter(
      (name) => refs.get(name) !== listed.get(name),
    );
    if (differ.length > 0) {
      findings.tell(
        "summary",
        "summary",
        `it says something else of ${differ.length} refs: ${differ.slice(0, 5).join(", ")}`,
      );
    }
    if (summary.signature !== undefined) decodeDetached(summary.signature);
  } catch (error) {
    findings.tell("summary", "summary", textOf(error));
  }
}
