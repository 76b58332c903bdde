import type { Clock } from "../base/clock.ts";
import { decodeDetached, withSignature } from "../ostree/detached.ts";
import { decodeSummary } from "../ostree/summary.ts";
import { lastModified } from "../ostree/summary-metadata.ts";
import type { EnvelopeSignature } from "./dsse.ts";
import { futureSummary, type Payload, payloadsOf } from "./payloads.ts";
import type { PreparedRelease } from "./prepared.ts";
import {
  readPreparedSummary,
  readSignatures,
  readSummarySignature,
  writePreparedSummary,
  writeSignatures,
  writeSummarySignature,
} from "./prepared-signatures.ts";
import type { ReleaseWriter } from "./release-writer.ts";
import type { MadeSignature } from "./sign-import.ts";

/**
 * What of a prepared release is to be signed elsewhere. Where nobody signs here, that is the list of branches, too, as it will be then: it is
 * kept as it is given out, because what is published has to be that, and stays the same for all who sign as long as the branches are where they were.
 */
export async function givePayloads(
  { archive, repository, options }: ReleaseWriter,
  prepared: PreparedRelease,
  clock: Clock,
): Promise<readonly Payload[]> {
  if (repository.settings.signers.length > 0) return payloadsOf(prepared.commits, undefined);
  const given = await readPreparedSummary(prepared);
  const time = given && lastModified(decodeSummary(given).metadata);
  if (given !== undefined && time !== undefined) {
    const again = await futureSummary(archive, prepared.commits, time);
    if (Buffer.compare(again, given) === 0) return payloadsOf(prepared.commits, given);
    if ((await readSummarySignature(prepared, given)) !== undefined)
      options.warn("the branches have moved: what was signed of their list before is to be signed once more");
  }
  const summary = await futureSummary(archive, prepared.commits, Math.floor(clock() / 1000));
  await writePreparedSummary(prepared, summary);
  return payloadsOf(prepared.commits, summary);
}

/** What was given out. */
export async function givenPayloads(prepared: PreparedRelease): Promise<readonly Payload[]> {
  return payloadsOf(prepared.commits, await readPreparedSummary(prepared));
}

/** Keeps signatures that were verified, beside those that are there. */
export async function keepSignatures(prepared: PreparedRelease, made: readonly MadeSignature[]): Promise<void> {
  for (const { commit, statement } of prepared.commits) {
    const own = made.filter(({ payload }) => payload.commit === commit);
    if (own.length === 0) continue;
    let { detached, envelope } = await readSignatures(prepared, commit);
    for (const { payload, kind, signature, key } of own) {
      if (payload.what === "commit") detached = withSignature(detached, kind, signature);
      else envelope = withEnvelopeSignature(envelope, { keyid: key.id, sig: signature });
    }
    await writeSignatures(prepared, commit, { detached, envelope }, statement);
  }
  const summary = await readPreparedSummary(prepared);
  const ofSummary = made.filter(({ payload }) => payload.what === "summary");
  if (summary === undefined || ofSummary.length === 0) return;
  const there = await readSummarySignature(prepared, summary);
  let detached = there === undefined ? [] : decodeDetached(there);
  for (const { kind, signature } of ofSummary) detached = withSignature(detached, kind, signature);
  await writeSummarySignature(prepared, detached);
}

/** A new signature takes the place of an older one by the same key. */
export function withEnvelopeSignature(
  there: readonly EnvelopeSignature[],
  signature: EnvelopeSignature,
): readonly EnvelopeSignature[] {
  return [...there.filter(({ keyid }) => keyid !== signature.keyid), signature];
}
