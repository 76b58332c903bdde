import type { Digest } from "../base/digest.ts";
import type { ArtifactEntry } from "../store/artifact-refs.ts";
import type { BlobReader } from "../store/blob-store.ts";
import type { ArtifactContent, ArtifactPart } from "./artifact-content.ts";
import { measureCommit } from "./commit-measure.ts";
import { BlobCount } from "./tree-measure.ts";
import { readYaml, type YamlValue } from "./yaml-blob.ts";

/** What an artifact takes, counting each blob once: also where other artifacts have it, too. */
export interface ArtifactSize {
  readonly bytes: number;
  readonly blobs: number;
  /** False where there is more, which was not counted. */
  readonly exact: boolean;
}

export interface MissingPart {
  readonly part: string;
  /** Blobs that are not there, of those that can be known. */
  readonly blobs: number;
  /** Without it, no client gets the artifact. */
  readonly required: boolean;
}

/** An artifact as the place where it was found has it in its list; what is `undefined` is not known there. Times in milliseconds since 1970. */
export interface NamedArtifact extends Omit<ArtifactEntry, "key"> {
  readonly instance: string | undefined;
  readonly keys: readonly string[];
  readonly moreKeys: boolean;
  readonly pushed: number | undefined;
  readonly by: string | undefined;
}

export interface ReportedArtifact extends NamedArtifact {
  /** When a client last asked for it. */
  readonly used: number | undefined;
  readonly expires: number | undefined;
  readonly pinned: boolean | undefined;
}

/** All that is known of an artifact. */
export interface ArtifactReport {
  readonly artifact: ReportedArtifact;
  /** `undefined` where it is not here, or cannot be read. */
  readonly content: ArtifactContent | undefined;
  /** Whether clients get it; `undefined` where the blobs are on another server. */
  readonly complete: boolean | undefined;
  readonly missing: readonly MissingPart[];
  readonly size: ArtifactSize | undefined;
  readonly publicData: YamlValue | undefined;
  /** What could not be read, a sentence each. */
  readonly problems: readonly string[];
}

export interface ReportOptions {
  readonly blobs: BlobReader;
  /** Whether clients get it, where that is known; `undefined` where the blobs are on another server. */
  readonly complete: boolean | "to be found out" | undefined;
  /** The size, where it was found before. */
  readonly known: ArtifactSize | undefined;
}

/** Parts that are told of; a message can name thousands. */
const maxParts = 100;

/** Puts together what is known of an artifact, of which `content` is what it says, or why that cannot be read. */
export async function reportOf(
  artifact: ReportedArtifact,
  content: ArtifactContent | string | undefined,
  { blobs, complete, known }: ReportOptions,
): Promise<ArtifactReport> {
  const common = { artifact, complete: complete === "to be found out" ? false : complete };
  if (content === undefined || typeof content === "string") {
    const here = complete !== undefined;
    const missing = here && content === undefined ? [{ part: "message", blobs: 1, required: true }] : [];
    const problems = content === undefined ? [] : [`what the artifact says cannot be read: ${content}`];
    return { ...common, content: undefined, missing, size: undefined, publicData: undefined, problems };
  }
  const measured =
    complete === undefined ? undefined : await measure(artifact, content, blobs, complete === true, known);
  const problems = [...content.problems];
  const data =
    content.publicData && complete !== undefined ? await readYaml(blobs, content.publicData, "public data") : undefined;
  if (data?.problem !== undefined) problems.push(data.problem);
  const { size, missing = [] } = measured ?? {};
  const found = complete === "to be found out" ? isWhole(missing, size) : complete;
  return { artifact, complete: found, content, missing, size, publicData: data?.value, problems };
}

/** `undefined` where there is more than was looked at. */
function isWhole(missing: readonly MissingPart[], size: ArtifactSize | undefined): boolean | undefined {
  if (missing.some(({ required }) => required)) return false;
  return size?.exact === true || missing.length > 0 ? true : undefined;
}

async function measure(
  { generation, content: message }: ReportedArtifact,
  { parts }: ArtifactContent,
  blobs: BlobReader,
  complete: boolean,
  known: ArtifactSize | undefined,
): Promise<{ size: ArtifactSize; missing: MissingPart[] }> {
  if (known !== undefined) return { size: known, missing: [] };
  if (generation === "1.0") return measureOfCommit(message, parts, blobs);
  const count = new BlobCount(blobs, message.function);
  if (generation === "2.x") await count.add("blob", message, false);
  const missing: MissingPart[] = [];
  for (const part of parts.slice(0, maxParts)) await measurePart(part, count, complete, missing);
  const exact = count.exact && parts.length <= maxParts;
  return { size: { bytes: count.bytes, blobs: count.count, exact }, missing };
}

async function measureOfCommit(commit: Digest, parts: readonly ArtifactPart[], blobs: BlobReader) {
  const { missing: lost, ...size } = await measureCommit(blobs, commit);
  const name = parts[0]?.name ?? "commit";
  return { size, missing: lost === 0 ? [] : [{ part: name, blobs: lost, required: true }] };
}

async function measurePart(part: ArtifactPart, count: BlobCount, complete: boolean, missing: MissingPart[]) {
  // A whole artifact may lack the trees that only some clients want.
  if (part.walk === "commit") return; // an artifact that has one consists of it
  const lost = await count.add(part.walk, part.digest, !complete || !part.required);
  if (lost > 0) missing.push({ part: part.name, blobs: lost, required: part.required });
}
