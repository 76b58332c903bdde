import { StillageError } from "../base/errors.ts";
import type { Dictionary } from "../base/gvariant/value.ts";
import { ArchiveRepository } from "../ostree/archive/archive-repository.ts";
import { decodeDetached, encodeDetached, signaturesIn, withSignature } from "../ostree/detached.ts";
import { decodeSummary } from "../ostree/summary.ts";
import { lastModified } from "../ostree/summary-metadata.ts";
import { type EnvelopeSignature, encodeEnvelope, preAuthenticationEncoding, statementPayloadType } from "./dsse.ts";
import { addKeys } from "./key-files.ts";
import type { PreparedCommit, PreparedRelease, ReleaseSigning, SignedCommit } from "./prepared.ts";
import { readPreparedSummary, readSignatures, readSummarySignature } from "./prepared-signatures.ts";
import { readKeyDirectory } from "./public-keys.ts";
import type { ReleaseRepository } from "./release-repository.ts";
import { checkRequired } from "./required-signatures.ts";
import { openSigners, type Signer } from "./signer.ts";
import { gpgKeyOf, issuerOf } from "./verifier.ts";

/** Opens the signers of a repository. Errors: `failed-precondition` where a key cannot be used. */
export async function openSigning(repository: ReleaseRepository): Promise<ReleaseSigning> {
  return new RepositorySigning(repository, await openSigners(repository.settings.signers));
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

  /** Publishes the signers' keys where they are not yet. Errors: `failed-precondition` where signatures that are required are missing; those of signing. */
  async sign(prepared: PreparedRelease): Promise<readonly SignedCommit[]> {
    this.prepared = prepared;
    await publishKeys(this.repository, this.signers);
    const signed: SignedCommit[] = [];
    for (const commit of prepared.commits) signed.push(await this.signCommit(prepared, commit));
    const keys = await readKeyDirectory(this.repository.layout.keys);
    await checkRequired(this.repository.settings.requiredSignatures, keys, prepared, signed);
    return signed;
  }

  /** A summary that was given out counts only where nobody here can sign a new one. */
  async summaryTime(): Promise<number | undefined> {
    if (this.signers.length > 0 || this.prepared === undefined) return undefined;
    const given = await readPreparedSummary(this.prepared);
    return given && lastModified(decodeSummary(given).metadata);
  }

  /** Errors: `failed-precondition` where a list that has been signed so far would have no signature. */
  async signSummary(summary: Uint8Array): Promise<Uint8Array | undefined> {
    const elsewhere = this.prepared && (await readSummarySignature(this.prepared, summary));
    const there = elsewhere === undefined ? [] : decodeDetached(elsewhere);
    const detached = await addSignatures(there, summary, this.signers);
    if (detached.length > 0) return encodeDetached(detached);
    await this.checkUnsigned();
    return undefined;
  }

  private async checkUnsigned(): Promise<void> {
    const given = this.prepared && (await readPreparedSummary(this.prepared));
    const archive = await ArchiveRepository.open(this.repository.layout.archive);
    if (given === undefined && (await archive.summary())?.signature === undefined) return;
    const why =
      given === undefined
        ? "nobody has signed the new list of branches, and the one before is signed"
        : "nobody has signed the list of branches as it is with this release; it may have changed since it was given out";
    throw new StillageError("failed-precondition", why, {
      hint: "`release sign --export` gives out the list as it is now; what was signed of the release stays",
    });
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

/** Puts the public keys of signers among those that the repository has. Errors: `exists` where a name is that of another key. */
export async function publishKeys({ layout }: ReleaseRepository, signers: readonly Signer[]): Promise<void> {
  await addKeys(
    layout.keys,
    signers.map(({ publicKey }) => publicKey),
  );
}

/** Adds a signature of each signer who has not signed yet; those that are there stay. */
export async function addSignatures(
  detached: Dictionary,
  bytes: Uint8Array,
  signers: readonly Signer[],
): Promise<Dictionary> {
  let metadata = detached;
  for (const signer of signers) {
    if (!hasSigned(detached, signer)) metadata = withSignature(metadata, signer.kind, await signer.sign(bytes));
  }
  return metadata;
}

/** Signatures of GPG differ each time: whose they are is what they say. Those of Ed25519 come out the same. */
function hasSigned(detached: Dictionary, { kind, publicKey }: Signer): boolean {
  if (kind === "ed25519") return false;
  return signaturesIn(detached, kind).some((each) => gpgKeyOf([publicKey], issuerOf(each)) !== undefined);
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
