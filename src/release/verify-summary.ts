import type { ArchiveRepository } from "../ostree/archive/archive-repository.ts";
import { decodeSummary, findRef, type Summary } from "../ostree/summary.ts";
import { expiry, lastModified } from "../ostree/summary-metadata.ts";
import type { Verifier } from "./verifier.ts";
import type { Findings, KeySource } from "./verify-report.ts";
import { judgeSignatures, verifyDetached } from "./verify-signatures.ts";

const summaryPath = "repo/summary";
const signaturePath = "repo/summary.sig";

/** Verifies the list of branches: that it can be read, who signed it, and that it says what the refs say. `now`: milliseconds since 1970. */
export async function verifySummary(
  archive: ArchiveRepository,
  verifier: Verifier,
  source: KeySource,
  now: number,
  findings: Findings,
): Promise<void> {
  const stored = await archive.summary().catch((error: Error) => error);
  if (stored instanceof Error) return findings.failed(summaryPath, stored.message);
  if (stored === undefined) return findings.failed(summaryPath, "there is no list of branches");
  let summary: Summary;
  try {
    summary = decodeSummary(stored.bytes);
  } catch (error) {
    return findings.failed(summaryPath, (error as Error).message);
  }
  await compareRefs(archive, summary, findings);
  times(summary, now, findings);
  try {
    const { bytes, signature } = stored;
    const found = signature === undefined ? [] : await verifyDetached(verifier, bytes, signature);
    judgeSignatures(signaturePath, summaryPath, found, source, findings);
  } catch (error) {
    findings.failed(signaturePath, (error as Error).message);
  }
}

/** Refs are not signed: each has to be what the list says, and in it. */
async function compareRefs(archive: ArchiveRepository, summary: Summary, findings: Findings): Promise<void> {
  let refs: ReadonlyMap<string, { readonly commit: string }>;
  try {
    refs = await archive.refs();
  } catch (error) {
    return findings.failed("repo/refs/heads", (error as Error).message);
  }
  let wrong = 0;
  const fail = (about: string, says: string): void => {
    wrong++;
    findings.failed(about, says);
  };
  for (const [name, { commit }] of refs) {
    const listed = findRef(summary, name);
    const path = `repo/refs/heads/${name}`;
    if (listed === undefined) fail(path, "the list of branches does not have it");
    else if (listed.commit !== commit)
      fail(path, `it leads to ${commit}, and the list of branches says ${listed.commit}`);
  }
  for (const { name, commit, commitBytes } of summary.refs) {
    if (!refs.has(name)) fail(`repo/refs/heads/${name}`, "it is not there, and the list of branches has it");
    const bytes = await archive.readMetadata(commit, "commit").catch(() => undefined);
    if (bytes !== undefined && bytes.length !== commitBytes) {
      fail(summaryPath, `the commit of ${name} has ${bytes.length} bytes, and not ${commitBytes} as it says`);
    }
  }
  if (wrong === 0)
    findings.ok(
      summaryPath,
      `${summary.refs.length} ${summary.refs.length === 1 ? "branch" : "branches"}, and each is where it says`,
    );
}

function times({ metadata }: Summary, now: number, findings: Findings): void {
  const until = expiry(metadata);
  const made = lastModified(metadata);
  const text = (seconds: number): string => new Date(Math.min(seconds, 8_640_000_000_000) * 1000).toISOString();
  if (until !== undefined && until * 1000 < now) findings.failed(summaryPath, `it is good until ${text(until)} only`);
  if (made !== undefined)
    findings.ok(summaryPath, `made ${text(made)}; whether there is a newer one only its owner knows`);
}
