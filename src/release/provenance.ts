import { StillageError } from "../base/errors.ts";
import { canonicalJson, type Manifest } from "./manifest.ts";
import { releaseFiles } from "./release-repository.ts";
import { describeDependency, describeSource, type ResourceDescriptor } from "./resource-descriptor.ts";

/** A statement about things that are known by their digests: in-toto attestation framework 1, statement.md. */
export interface Statement<Predicate = unknown> {
  readonly _type: typeof statementType;
  readonly subject: readonly ResourceDescriptor[];
  readonly predicateType: string;
  readonly predicate: Predicate;
}

/** How something was built: SLSA 1.0, Build Provenance. */
export interface Provenance {
  readonly buildDefinition: {
    readonly buildType: string;
    readonly externalParameters: Readonly<Record<string, unknown>>;
    readonly resolvedDependencies: readonly ResourceDescriptor[];
  };
  readonly runDetails: {
    readonly builder: { readonly id: string; readonly version?: Readonly<Record<string, string>> };
    readonly byproducts: readonly ResourceDescriptor[];
  };
}

export const statementType = "https://in-toto.io/Statement/v1";
export const provenanceType = "https://slsa.dev/provenance/v1";

/** A BuildStream element: what its parameters and dependencies mean is said in docs/RELEASES.md, "Signing". */
export const elementBuildType = "urn:stillage:buildstream-element:v1";
/** A directory of which nobody said how it came to be. */
export const treeBuildType = "urn:stillage:directory:v1";
/** Where the repository does not say who builds. */
export const unknownBuilder = "urn:stillage:builder:unknown";

/** What a statement is about, beside what the manifest says. */
export interface ReleaseFacts {
  /** SHA-256 of the commit object: the name of the commit. */
  readonly commit: string;
  readonly branch: string;
  readonly manifest: Manifest;
  /** SHA-256 of `manifest.json`. */
  readonly manifestDigest: string;
  /** Who builds, a URI; `undefined` where nobody says. */
  readonly builder: string | undefined;
  /** Logs of the build: name -> SHA-256. */
  readonly logs?: Readonly<Record<string, string>>;
  /** What made the statement: program -> version. */
  readonly versions: Readonly<Record<string, string>>;
}

/** The path of a commit object in its repository, which is also the name of the first subject. */
export function commitSubject(commit: string): string {
  return `objects/${commit.slice(0, 2)}/${commit.slice(2)}.commit`;
}

/** The name of the second subject: there is no file of these 64 bytes. */
export const contentSubject = "content";

/** What is said of a release: the same facts give the same statement, whenever and wherever. */
export function provenanceOf(facts: ReleaseFacts): Statement<Provenance> {
  const { manifest, builder, versions } = facts;
  const dependencies = [
    ...(manifest.sources ?? []).map(describeSource),
    ...(manifest.dependencies ?? []).map(describeDependency),
  ];
  return {
    _type: statementType,
    subject: [
      { name: commitSubject(facts.commit), digest: { sha256: facts.commit } },
      { name: contentSubject, digest: { sha256: manifest.content.checksum } },
    ],
    predicateType: provenanceType,
    predicate: {
      buildDefinition: {
        buildType: manifest.artifact === null ? treeBuildType : elementBuildType,
        externalParameters: parametersOf(facts),
        resolvedDependencies: dependencies,
      },
      runDetails: {
        builder: {
          id: builder ?? unknownBuilder,
          ...(Object.keys(versions).length === 0 ? {} : { version: versions }),
        },
        byproducts: byproductsOf(facts),
      },
    },
  };
}

/** The bytes of a statement that are signed. */
export function encodeStatement(statement: Statement): Uint8Array {
  return Buffer.from(canonicalJson(statement));
}

function parametersOf({ branch, manifest: { version, artifact } }: ReleaseFacts): Record<string, unknown> {
  const parameters = { branch, ...(version === null ? {} : { version }) };
  if (artifact === null) return parameters;
  return {
    ...parameters,
    project: artifact.project,
    element: artifact.element,
    key: artifact.keys.strong ?? artifact.key,
  };
}

function byproductsOf({ manifest, manifestDigest, logs = {} }: ReleaseFacts): ResourceDescriptor[] {
  return [
    { name: releaseFiles.manifest, digest: { sha256: manifestDigest }, mediaType: "application/json" },
    ...manifest.attachments.map(({ name, sha256, mediaType }) => ({ name, digest: { sha256 }, mediaType })),
    ...Object.entries(logs).map(([name, sha256]) => ({
      name: `log: ${name}`,
      digest: { sha256 },
      mediaType: "text/plain",
    })),
  ];
}

/** What a statement says that is checked: the digests of its subjects, and those of the files beside the release. */
export interface StatementContent {
  readonly subjects: readonly NamedDigest[];
  /** Empty for statements that are no provenance. */
  readonly byproducts: readonly NamedDigest[];
  readonly predicateType: string;
  readonly builder: string | undefined;
}

export interface NamedDigest {
  readonly name: string;
  readonly sha256: string | undefined;
}

/** Reads an in-toto Statement; what it has besides is skipped. Errors: `invalid`. */
export function readStatement(payload: Uint8Array): StatementContent {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
  } catch (error) {
    throw new StillageError("invalid", "the statement is not JSON", { cause: error });
  }
  const { _type, subject, predicateType, predicate } = record(json);
  if (_type !== statementType) throw new StillageError("invalid", `the statement is not of the type ${statementType}`);
  if (!Array.isArray(subject) || subject.length === 0) {
    throw new StillageError("invalid", "the statement has no subject");
  }
  if (typeof predicateType !== "string") throw new StillageError("invalid", "the statement has no predicateType");
  const { byproducts, builder } = record(record(predicate).runDetails);
  const { id } = record(builder);
  return {
    subjects: subject.map(digestOf),
    byproducts: predicateType === provenanceType && Array.isArray(byproducts) ? byproducts.map(digestOf) : [],
    predicateType,
    builder: typeof id === "string" ? id : undefined,
  };
}

function digestOf(descriptor: unknown): NamedDigest {
  const { name, digest } = record(descriptor);
  const { sha256 } = record(digest);
  return {
    name: typeof name === "string" ? name : "",
    sha256: typeof sha256 === "string" && /^[0-9a-f]{64}$/.test(sha256) ? sha256 : undefined,
  };
}

/** The fields of an object; of anything else none. */
function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
