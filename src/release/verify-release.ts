import { lookUp } from "../base/gvariant/value.ts";
import type { ArchiveRepository } from "../ostree/archive/archive-repository.ts";
import type { Commit } from "../ostree/commit.ts";
import { objectPath } from "../ostree/object-name.ts";
import { ostreeKeys, type ReleaseRecord } from "./release-record.ts";
import type { Verifier } from "./verifier.ts";
import { verifyBeside } from "./verify-beside.ts";
import type { PageLayout } from "./verify-page.ts";
import { Findings, type KeySource } from "./verify-report.ts";
import { judgeSignatures, verifyDetached } from "./verify-signatures.ts";
import type { TreeVerifier } from "./verify-tree.ts";

/** What one release is verified with. */
export interface VerifyTools {
  readonly layout: PageLayout;
  readonly archive: ArchiveRepository;
  readonly verifier: Verifier;
  readonly keySource: KeySource;
  readonly trees: TreeVerifier;
}

/** Verifies a release of which the commit was read, and is what its checksum says. */
export async function verifyRelease(tools: VerifyTools, record: ReleaseRecord, commit: Commit): Promise<Findings> {
  const { layout, archive, verifier, keySource, trees } = tools;
  const findings = new Findings();
  const path = `repo/${objectPath(record.commit, "commit")}`;
  findings.ok(path, `the commit is what its checksum says; content ${record.contentChecksum}`);
  binding(path, record, commit, findings);
  const detached = `${path}meta`;
  try {
    const signatures = await archive.readDetached(record.commit);
    const bytes = (await archive.readMetadata(record.commit, "commit")) ?? new Uint8Array();
    const found = signatures === undefined ? [] : await verifyDetached(verifier, bytes, signatures);
    judgeSignatures(detached, path, found, keySource, findings);
  } catch (error) {
    findings.failed(detached, (error as Error).message);
  }
  const before = trees.objects;
  if (await trees.verify(commit.tree, commit.treeMeta, findings)) {
    const fresh = trees.objects - before;
    findings.ok(
      "tree",
      `every object is what its checksum says: ${fresh} read now${before === 0 ? "" : ", the others before"}`,
    );
  }
  await verifyBeside(layout.release(record.commit), record, verifier, keySource, findings);
  return findings;
}

/** Without it, a commit of one branch could be passed off as one of another, with its signatures. */
function binding(path: string, { branch }: ReleaseRecord, { metadata }: Commit, findings: Findings): void {
  const bound = lookUp(metadata, ostreeKeys.refBinding, "as") as readonly string[] | undefined;
  if (bound === undefined) findings.failed(path, "it does not say for which branches it is");
  else if (!bound.includes(branch)) findings.failed(path, `it is for ${bound.join(", ")}, and not for ${branch}`);
  else findings.ok(path, `it is for ${bound.join(", ")}`);
}
