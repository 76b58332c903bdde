import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { parse as parseYaml } from "yaml";
import { decodeEnvelope, type Envelope, preAuthenticationEncoding, statementPayloadType } from "./dsse.ts";
import { hashFile } from "./file-hash.ts";
import { canonicalJson, type Manifest, manifestDigest } from "./manifest.ts";
import { parseManifest } from "./manifest-file.ts";
import { commitSubject, contentSubject, provenanceType, readStatement, type StatementContent } from "./provenance.ts";
import type { ReleaseRecord } from "./release-record.ts";
import { releaseFiles } from "./release-repository.ts";
import type { Verification, Verifier } from "./verifier.ts";
import type { Findings, KeySource } from "./verify-report.ts";
import { judgeSignatures } from "./verify-signatures.ts";

/** What is longer is not read: a manifest or a statement of ten thousand sources has 5 MB. */
const maxTextBytes = 64 << 20;

/** Verifies what lies beside a release: its manifest, its provenance, its attachments; and that nothing else does. */
export async function verifyBeside(
  directory: string,
  record: ReleaseRecord,
  verifier: Verifier,
  source: KeySource,
  findings: Findings,
): Promise<void> {
  const beside = new Beside(directory, record.commit, findings);
  const names = new Set(await readdir(directory).catch(() => []));
  const manifest = await beside.manifest(record);
  const known = new Set<string>([releaseFiles.manifest, releaseFiles.manifestYaml, releaseFiles.provenance]);
  for (const { name } of manifest?.attachments ?? []) known.add(name);
  const hashes = await beside.attachments(manifest);
  if (record.manifest !== undefined) hashes.set(releaseFiles.manifest, record.manifest);
  await beside.provenance(record, verifier, source, hashes, manifest !== undefined);
  for (const name of names) {
    if (!known.has(name)) beside.failed(name, "nothing that is signed names this file");
  }
}

class Beside {
  private readonly directory: string;
  private readonly commit: string;
  private readonly findings: Findings;

  constructor(directory: string, commit: string, findings: Findings) {
    this.directory = directory;
    this.commit = commit;
    this.findings = findings;
  }

  /** The manifest that the commit names, where it is that. */
  async manifest(record: ReleaseRecord): Promise<Manifest | undefined> {
    const name = releaseFiles.manifest;
    if (record.manifest === undefined) {
      this.findings.unchecked(this.path(name), "the commit names no manifest: nothing says what it was made of");
      return undefined;
    }
    const bytes = await this.read(name);
    if (bytes === undefined) return this.failed(name, "it is not there, and the commit names it");
    if (manifestDigest(bytes) !== record.manifest) return this.failed(name, "it is not the one that the commit names");
    let manifest: Manifest;
    try {
      manifest = parseManifest(bytes);
    } catch (error) {
      return this.failed(name, (error as Error).message);
    }
    if (manifest.content.checksum !== record.contentChecksum) {
      return this.failed(name, `it is about other content: ${manifest.content.checksum}`);
    }
    this.findings.ok(this.path(name), "the commit names it, and it is about this content");
    await this.yaml(manifest);
    return manifest;
  }

  /** For people to read: it has to say the same. */
  private async yaml(manifest: Manifest): Promise<void> {
    const name = releaseFiles.manifestYaml;
    const bytes = await this.read(name);
    if (bytes === undefined) this.failed(name, "it is not there");
    else if (sameYaml(bytes, manifest)) {
      this.findings.ok(this.path(name), "it says what manifest.json says");
    } else this.failed(name, "it does not say what manifest.json says");
  }

  /** Verifies the attachments that the manifest has, and gives their hashes. */
  async attachments(manifest: Manifest | undefined): Promise<Map<string, string>> {
    const hashes = new Map<string, string>();
    for (const { name, sha256 } of manifest?.attachments ?? []) {
      const found = await hashFile(join(this.directory, name));
      if (found === undefined) this.failed(name, "it is not there, and the manifest names it");
      else if (found.sha256 !== sha256) this.failed(name, "it is not the one that the manifest names");
      else this.findings.ok(this.path(name), "the manifest names it");
      hashes.set(name, sha256);
    }
    return hashes;
  }

  async provenance(
    record: ReleaseRecord,
    verifier: Verifier,
    source: KeySource,
    hashes: ReadonlyMap<string, string>,
    hasManifest: boolean,
  ): Promise<void> {
    const name = releaseFiles.provenance;
    const bytes = await this.read(name);
    if (bytes === undefined) {
      if (hasManifest) this.failed(name, "it is not there");
      else this.findings.unchecked(this.path(name), "there is none");
      return;
    }
    try {
      const envelope = decodeEnvelope(bytes);
      judgeSignatures(this.path(name), "its payload", await verifyEnvelope(verifier, envelope), source, this.findings);
      if (envelope.payloadType !== statementPayloadType) {
        this.failed(name, `its payload is ${JSON.stringify(envelope.payloadType)}, not ${statementPayloadType}`);
        return;
      }
      this.statement(record, readStatement(envelope.payload), hashes);
    } catch (error) {
      this.failed(name, (error as Error).message);
    }
  }

  private statement(record: ReleaseRecord, statement: StatementContent, hashes: ReadonlyMap<string, string>): void {
    const { subjects, byproducts, predicateType, builder } = statement;
    const wanted = new Map([
      [commitSubject(record.commit), record.commit],
      [contentSubject, record.contentChecksum],
    ]);
    const name = releaseFiles.provenance;
    const fine = subjects.every((each) => wanted.get(each.name) === each.sha256) && subjects.length === wanted.size;
    if (!fine) this.failed(name, "its subjects are not this commit and this content");
    else this.findings.ok(this.path(name), `its subjects are this commit and this content; builder ${builder}`);
    if (predicateType !== provenanceType) this.failed(name, `it is no provenance of SLSA 1 but ${predicateType}`);
    for (const [file, sha256] of hashes) {
      const said = byproducts.find((each) => each.name === file);
      if (said?.sha256 !== sha256) this.failed(name, `it does not name ${file} with its checksum`);
    }
  }

  failed(name: string, says: string): undefined {
    this.findings.failed(this.path(name), says);
  }

  private path(name: string): string {
    return `releases/${this.commit}/${name}`;
  }

  private async read(name: string): Promise<Uint8Array | undefined> {
    const path = join(this.directory, name);
    const stats = await stat(path).catch(() => undefined);
    if (!stats?.isFile() || stats.size > maxTextBytes) return undefined;
    return readFile(path);
  }
}

/** The signatures of an envelope: by its hint a key of GPG, or else of Ed25519. */
export async function verifyEnvelope(verifier: Verifier, envelope: Envelope): Promise<readonly Verification[]> {
  const { payloadType, payload, signatures } = envelope;
  const signed = preAuthenticationEncoding(payloadType, payload);
  const found: Verification[] = [];
  for (const { sig } of signatures) {
    found.push(await verifier.verify(sig.length === ed25519Bytes ? "ed25519" : "gpg", signed, sig));
  }
  return found;
}

const ed25519Bytes = 64;

/** Whether a text in YAML says what a manifest says, in whatever order. */
export function sameYaml(bytes: Uint8Array, manifest: Manifest): boolean {
  try {
    const value: unknown = parseYaml(Buffer.from(bytes).toString(), { maxAliasCount: 0 });
    return canonicalJson(value) === canonicalJson(manifest);
  } catch {
    return false;
  }
}
