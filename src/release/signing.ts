import type { Dictionary } from "../base/gvariant/value.ts";
import { decodeDetached, encodeDetached, withSignature } from "../ostree/detached.ts";
import { type EnvelopeSignature, encodeEnvelope, preAuthenticationEncoding, statementPayloadType } from "./dsse.ts";
import { addKeys } from "./key-files.ts";
import type { PreparedCommit, PreparedRelease, ReleaseSigning, SignedCommit } from "./prepared.ts";
import { readSignatures, readSummarySignature } from "./prepared-signatures.ts";
import { readKeyDirectory } from "./public-keys.ts";
import type { ReleaseRepository } from "./release-repository.ts";
import { checkRequired } from "./required-signatures.ts";
import { openSigners, type Signer } from "./signer.ts";

/**
 * Opens the signers of a repository, and publishes their keys where they are not yet. Errors: `failed-precondition` where a key cannot be used, `exists`
 * where its name is that of another one.
 */
export async function openSigning(repository: ReleaseRepository): Promise<ReleaseSigning> {
  const signers = await openSigners(repository.settings.signers);
  await addKeys(
    repository.layout.keys,
    signers.map(({ publicKey }) => publicKey),
  );
  return new RepositorySigning(repository, signers);
}

/** Signs by the repository's own signers, and takes what was signed elsewhere. */
class RepositorySigning implements ReleaseSigning {
  private readonly repository: ReleaseRepository;
  private readonly signers: readonly Signer[];
  private prepared: PreparedRelease | undefined;

  constructor(repository: ReleaseRepository, signers: readonly Signer[]) {
    this.repository = repository;
    this.signers = signers;
  }

  /** Errors: `failed-precondition` where signatures that are required are missing; those of signing. */
  async sign(prepared: PreparedRelease): Promise<readonly SignedCommit[]> {
    this.prepared = prepared;
    const signed: SignedCommit[] = [];
    for (const commit of prepared.commits) signed.push(await this.signCommit(prepared, commit));
    const keys = await readKeyDirectory(this.repository.layout.keys);
    await checkRequired(this.repository.settings.requiredSignatures, keys, prepared, signed);
    return signed;
  }

  async signSummary(summary: Uint8Array): Promise<Uint8Array | undefined> {
    const elsewhere = this.prepared && (await readSummarySignature(this.prepared, summary));
    const detached = await addSignatures(
      elsewhere === undefined ? [] : decodeDetached(elsewhere),
      summary,
      this.signers,
    );
    return detached.length === 0 ? undefined : encodeDetached(detached);
  }

  private async signCommit(
    prepared: PreparedRelease,
    { commit, bytes, statement }: PreparedCommit,
  ): Promise<SignedCommit> {
    const there = await readSignatures(prepared, commit);
    const detached = await addSignatures(there.detached, bytes, this.signers);
    const envelope = statement && (await signStatement(statement, this.signers, there.envelope));
    return { commit, detached: detached.length === 0 ? undefined : encodeDetached(detached), envelope };
  }
}

/** Adds a signature of each signer to those that are there already. */
export async function addSignatures(
  detached: Dictionary,
  bytes: Uint8Array,
  signers: readonly Signer[],
): Promise<Dictionary> {
  let metadata = detached;
  for (const signer of signers) metadata = withSignature(metadata, signer.kind, await signer.sign(bytes));
  return metadata;
}

/** The envelope around a statement, with a signature of each signer in the place of an older one of the same key. */
export async function signStatement(
  statement: Uint8Array,
  signers: readonly Signer[],
  there: readonly EnvelopeSignature[] = [],
): Promise<Uint8Array> {
  const signed = preAuthenticationEncoding(statementPayloadType, statement);
  const signatures = there.filter(({ keyid }) => !signers.some(({ id }) => id === keyid));
  for (const { id, sign } of signers) signatures.push({ keyid: id, sig: await sign(signed) });
  return encodeEnvelope({ payloadType: statementPayloadType, payload: statement, signatures });
}
