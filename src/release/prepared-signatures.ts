import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fromFileSystem } from "../base/errors.ts";
import type { Dictionary } from "../base/gvariant/value.ts";
import { decodeDetached, encodeDetached } from "../ostree/detached.ts";
import { decodeEnvelope, type EnvelopeSignature, encodeEnvelope, statementPayloadType } from "./dsse.ts";
import type { PreparedRelease } from "./prepared.ts";
import { replaceFile } from "./replace-file.ts";

/** What was signed elsewhere of one commit of a prepared release. */
export interface CommitSignatures {
  readonly detached: Dictionary;
  readonly envelope: readonly EnvelopeSignature[];
}

/** In a prepared release's directory: signatures of a commit, and of the statement about it. */
const detachedFile = (commit: string): string => `${commit}.commitmeta`;
const envelopeFile = (commit: string): string => `${commit}.envelope.json`;

/** The list of branches as it will be when the release is published, and its signatures. */
const summaryFile = "summary";
const summarySignatureFile = "summary.sig";

/** Errors: `invalid` for files that are not what they should be. */
export async function readSignatures({ directory }: PreparedRelease, commit: string): Promise<CommitSignatures> {
  const detached = await ifThere(join(directory, detachedFile(commit)));
  const envelope = await ifThere(join(directory, envelopeFile(commit)));
  return {
    detached: detached === undefined ? [] : decodeDetached(detached),
    envelope: envelope === undefined ? [] : decodeEnvelope(envelope).signatures,
  };
}

/** Each file is replaced as a whole: a crash in between leaves fewer signatures, all of them good, and they are given once more. */
export async function writeSignatures(
  { directory }: PreparedRelease,
  commit: string,
  { detached, envelope }: CommitSignatures,
  statement: Uint8Array | undefined,
): Promise<void> {
  if (detached.length > 0) await replaceFile(join(directory, detachedFile(commit)), encodeDetached(detached));
  if (statement === undefined || envelope.length === 0) return;
  const bytes = encodeEnvelope({ payloadType: statementPayloadType, payload: statement, signatures: envelope });
  await replaceFile(join(directory, envelopeFile(commit)), bytes);
}

/** The summary that was given out to be signed with this release. */
export function readPreparedSummary({ directory }: PreparedRelease): Promise<Uint8Array | undefined> {
  return ifThere(join(directory, summaryFile));
}

/** A new summary makes older signatures worthless: they go first. */
export async function writePreparedSummary({ directory }: PreparedRelease, summary: Uint8Array): Promise<void> {
  await replaceFile(join(directory, summarySignatureFile), encodeDetached([]));
  await replaceFile(join(directory, summaryFile), summary);
}

/** The signatures of just this summary, made elsewhere; `undefined` where there are none. */
export async function readSummarySignature(
  prepared: PreparedRelease,
  summary: Uint8Array,
): Promise<Uint8Array | undefined> {
  const given = await readPreparedSummary(prepared);
  if (given === undefined || Buffer.compare(given, summary) !== 0) return undefined;
  const signature = await ifThere(join(prepared.directory, summarySignatureFile));
  return signature === undefined || decodeDetached(signature).length === 0 ? undefined : signature;
}

export async function writeSummarySignature({ directory }: PreparedRelease, detached: Dictionary): Promise<void> {
  await replaceFile(join(directory, summarySignatureFile), encodeDetached(detached));
}

async function ifThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw fromFileSystem(error, `${path} cannot be read`);
  }
}
