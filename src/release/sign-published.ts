import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fromFileSystem, StillageError } from "../base/errors.ts";
import { decodeDetached, encodeDetached, signaturesIn, withSignature } from "../ostree/detached.ts";
import { decodeSummary } from "../ostree/summary.ts";
import { decodeEnvelope, type Envelope, encodeEnvelope } from "./dsse.ts";
import { type Payload, payloadsOf } from "./payloads.ts";
import { readStatement } from "./provenance.ts";
import type { ReleaseRecord } from "./release-record.ts";
import { releaseFiles } from "./release-repository.ts";
import type { ReleaseWriter } from "./release-writer.ts";
import { replaceFile } from "./replace-file.ts";
import type { MadeSignature } from "./sign-import.ts";
import { withEnvelopeSignature } from "./sign-prepared.ts";
import type { Signer } from "./signer.ts";
import { gpgKeyOf, issuerOf } from "./verifier.ts";

/**
 * What of a published release can be signed once more: its commit, its provenance, and the list of branches as it is. Errors: `corrupt` where one of them is not
 * what it should be, which nobody is to sign.
 */
export async function publishedPayloads(writer: ReleaseWriter, record: ReleaseRecord): Promise<readonly Payload[]> {
  const { branch, commit } = record;
  const bytes = await writer.archive.readMetadata(commit, "commit");
  if (bytes === undefined) throw new StillageError("not-found", `there is no commit ${commit}`);
  const statement = (await envelopeOf(writer, commit))?.payload;
  if (statement !== undefined && !readStatement(statement).subjects.some(({ sha256 }) => sha256 === commit)) {
    throw notToSign(`the provenance beside ${commit} is about something else`);
  }
  return payloadsOf([{ branch, commit, bytes, statement }], await wholeSummary(writer));
}

async function wholeSummary({ archive }: ReleaseWriter): Promise<Uint8Array | undefined> {
  const bytes = (await archive.summary())?.bytes;
  if (bytes === undefined) return undefined;
  const listed = decodeSummary(bytes).refs.map(({ name, commit }) => `${name} ${commit}`);
  const refs = new Set([...(await archive.refs())].map(([name, { commit }]) => `${name} ${commit}`));
  if (listed.length === refs.size && listed.every((each) => refs.has(each))) return bytes;
  throw notToSign("the list of branches does not say where they are");
}

function notToSign(why: string): StillageError {
  return new StillageError("corrupt", why, { hint: "`stillage release verify` says what else is wrong" });
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
