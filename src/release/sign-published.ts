import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fromFileSystem, StillageError } from "../base/errors.ts";
import { decodeDetached, encodeDetached, signaturesIn, withSignature } from "../ostree/detached.ts";
import { decodeEnvelope, type Envelope, encodeEnvelope } from "./dsse.ts";
import { type Payload, payloadsOf } from "./payloads.ts";
import type { ReleaseRecord } from "./release-record.ts";
import { releaseFiles } from "./release-repository.ts";
import type { ReleaseWriter } from "./release-writer.ts";
import { replaceFile } from "./replace-file.ts";
import type { MadeSignature } from "./sign-import.ts";
import { withEnvelopeSignature } from "./sign-prepared.ts";
import type { Signer } from "./signer.ts";
import { gpgKeyOf, issuerOf } from "./verifier.ts";

/** What of a published release can be signed once more: its commit, its provenance, and the list of branches as it is. */
export async function publishedPayloads(writer: ReleaseWriter, record: ReleaseRecord): Promise<readonly Payload[]> {
  const bytes = await writer.archive.readMetadata(record.commit, "commit");
  if (bytes === undefined) throw new StillageError("not-found", `there is no commit ${record.commit}`);
  const statement = (await envelopeOf(writer, record.commit))?.payload;
  const summary = (await writer.archive.summary())?.bytes;
  return payloadsOf([{ branch: record.branch, commit: record.commit, bytes, statement }], summary);
}

/** Signs payloads by signers who have not signed yet. */
export async function signPayloads(
  { archive }: ReleaseWriter,
  payloads: readonly Payload[],
  signers: readonly Signer[],
): Promise<readonly MadeSignature[]> {
  const made: MadeSignature[] = [];
  for (const payload of payloads) {
    const there = await (payload.commit === undefined
      ? archive.summary().then((summary) => summary?.signature)
      : archive.readDetached(payload.commit));
    const gpg = there === undefined ? [] : signaturesIn(decodeDetached(there), "gpg");
    for (const { kind, publicKey, sign } of signers) {
      const signed = gpg.some((each) => gpgKeyOf([publicKey], issuerOf(each)) !== undefined);
      if (signed && payload.what !== "provenance") continue;
      made.push({ payload, kind, signature: await sign(payload.bytes), key: publicKey });
    }
  }
  return made;
}

/**
 * Adds signatures, which were verified or made here, to a published release; those that are there stay. First the provenance, then commit and list in one
 * change, then the page: a crash in between leaves fewer new signatures, and no old one is lost.
 */
export async function addToPublished(
  writer: ReleaseWriter,
  commit: string,
  made: readonly MadeSignature[],
): Promise<void> {
  const of = (what: Payload["what"]) => made.filter(({ payload }) => payload.what === what);
  const envelope = await envelopeOf(writer, commit);
  const statements = of("provenance");
  if (envelope !== undefined && statements.length > 0) {
    let { signatures } = envelope;
    for (const { key, signature } of statements)
      signatures = withEnvelopeSignature(signatures, { keyid: key.id, sig: signature });
    await replaceFile(envelopePath(writer, commit), encodeEnvelope({ ...envelope, signatures }));
  }
  const { archive } = writer;
  const change = await archive.begin();
  try {
    const commits = of("commit");
    if (commits.length > 0) change.setDetached(commit, added(await archive.readDetached(commit), commits));
    const summary = await archive.summary();
    const summaries = of("summary").filter(
      ({ payload }) => Buffer.compare(payload.bytes, summary?.bytes ?? Buffer.of()) === 0,
    );
    await writer.mark();
    await change.publish(
      summary !== undefined && summaries.length > 0
        ? { summary: { bytes: summary.bytes, signature: added(summary.signature, summaries) } }
        : {},
    );
  } catch (error) {
    await change.abort();
    throw error;
  }
  await writer.refreshPage();
}

function added(detached: Uint8Array | undefined, made: readonly MadeSignature[]): Uint8Array {
  let metadata = detached === undefined ? [] : decodeDetached(detached);
  for (const { kind, signature } of made) metadata = withSignature(metadata, kind, signature);
  return encodeDetached(metadata);
}

function envelopePath({ repository }: ReleaseWriter, commit: string): string {
  return join(repository.layout.release(commit), releaseFiles.provenance);
}

async function envelopeOf(writer: ReleaseWriter, commit: string): Promise<Envelope | undefined> {
  const path = envelopePath(writer, commit);
  try {
    return decodeEnvelope(await readFile(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw fromFileSystem(error, `the provenance ${path} cannot be read`);
  }
}
