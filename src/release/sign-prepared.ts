import type { Clock } from "../base/clock.ts";
import { decodeDetached, withSignature } from "../ostree/detached.ts";
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
 * kept as it is given out, because what is published has to be that.
 */
export async function givePayloads(
  { archive, repository }: ReleaseWriter,
  prepared: PreparedRelease,
  clock: Clock,
): Promise<readonly Payload[]> {
  if (repository.settings.signers.length > 0) return payloadsOf(prepared.commits, undefined);
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
