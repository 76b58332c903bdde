import type { ArtifactContent, ArtifactPart } from "../../artifact/artifact-content.ts";
import { contentOfMessage } from "../../artifact/message-content.ts";
import { type Digest, digestOf, keyOfDigest, sameDigest, showDigest } from "../../base/digest.ts";
import { StillageError } from "../../base/errors.ts";
import { maxProtoBytes } from "../../cache/artifact-needs.ts";
import type { IndexedArtifact } from "../artifact-index.ts";
import { maxSmallBytes } from "../blob-place.ts";
import { BlobCopier, type Lacking, type Moved, readWhole } from "./blob-copier.ts";
import { SourceRow } from "./source-row.ts";
import { copyTree, readLarge, type TreeContext } from "./tree-copier.ts";

/** Which of the parts that no client needs are copied: none, and of the others those that a source has. */
export type OptionalParts = "none" | "those-there";

/** A part that is not whole at the place, with how many of its blobs nobody has. */
export interface LackingPart extends Lacking {
  readonly part: ArtifactPart;
}

/** What became of an artifact's blobs. */
export interface CopiedContent {
  /** What it says of itself; its parts are those that are whole at the place now. `undefined` where nobody has its message. */
  readonly content: ArtifactContent | undefined;
  readonly moved: Readonly<Moved>;
  /** Whether it may be named there: all parts that are required are whole. */
  readonly whole: boolean;
  /** Parts that are not; where the message itself is nowhere, that alone. */
  readonly lacking: readonly LackingPart[];
}

/** What is left out of the content of a Directory: only its blobs matter to who copies it. */
const nothingSaid: Omit<ArtifactContent, "parts"> = {
  version: undefined,
  keys: { strong: undefined, weak: undefined, strict: undefined },
  build: { success: undefined, error: undefined, details: undefined, workspaced: false },
  trees: {},
  logs: [],
  dependencies: [],
  publicData: undefined,
  problems: [],
};

/**
 * Brings the blobs of an artifact to a place, what it has already left out: the message, files, logs and what else is required, then the optional parts. Nothing
 * is named. What arrived stays whatever happens. Errors: `invalid` for what is no artifact; `unsupported` for a commit; those of the place; `cancelled`.
 */
export async function copyContent(
  artifact: IndexedArtifact,
  context: TreeContext,
  optional: OptionalParts,
): Promise<CopiedContent> {
  const copier = new BlobCopier(context);
  context.progress?.walkBegins();
  let isKnown = false;
  const known = (): void => {
    if (!isKnown) context.progress?.walkEnds();
    isKnown = true;
  };
  try {
    return await copyParts(artifact, context, { optional, copier, known });
  } catch (error) {
    await copier.abandon();
    throw error;
  } finally {
    known();
  }
}

interface CopyWork {
  readonly optional: OptionalParts;
  readonly copier: BlobCopier;
  /** Called as soon as it is known all that has to be moved. */
  readonly known: () => void;
}

async function copyParts(
  artifact: IndexedArtifact,
  context: TreeContext,
  { optional, copier, known }: CopyWork,
): Promise<CopiedContent> {
  const content = await contentOf(artifact, context, copier);
  const { moved } = copier;
  if (content === undefined) {
    const part: ArtifactPart = { name: "message", walk: "blob", digest: artifact.content, required: true };
    return { content, moved, whole: false, lacking: [{ part, count: 1, first: artifact.content }] };
  }
  const there: ArtifactPart[] = [];
  const lacking: LackingPart[] = [];
  const copyOne = (part: ArtifactPart): Promise<void> =>
    part.walk === "directory" ? copyTree(context, copier, part.digest) : copier.addOne(part.digest);
  const [required, others] = [content.parts.filter(isRequired), content.parts.filter((part) => !isRequired(part))];
  for (const part of required) await copyOne(part);
  if (optional === "none" || others.length === 0) {
    await copier.answered();
    known();
  }
  const lacked = await copier.settled();
  if (lacked === undefined) there.push(...required);
  else lacking.push({ part: partOf(required, lacked.first), ...lacked });
  const wanted = optional === "none" || lacked !== undefined ? [] : others;
  for (const part of wanted) {
    await copyOne(part);
    if (part === wanted.at(-1)) {
      await copier.answered();
      known();
    }
    const nowhere = await copier.settled();
    if (nowhere === undefined) there.push(part);
    else lacking.push({ part, ...nowhere });
  }
  return { content: { ...content, parts: there }, moved, whole: lacked === undefined, lacking };
}

const isRequired = ({ required }: ArtifactPart): boolean => required;

/** The part that a blob is, and otherwise the tree that it must be in. */
function partOf(parts: readonly ArtifactPart[], digest: Digest): ArtifactPart {
  const found = parts.find((part) => sameDigest(part.digest, digest)) ?? parts.find(({ walk }) => walk === "directory");
  if (found === undefined) throw new Error(`${keyOfDigest(digest)} is of no part`);
  return found;
}

async function contentOf(
  artifact: IndexedArtifact,
  context: TreeContext,
  copier: BlobCopier,
): Promise<ArtifactContent | undefined> {
  const { generation, content: digest } = artifact;
  if (generation === "1.0") {
    throw new StillageError("unsupported", "a commit of BuildStream 1.0 is not copied blob by blob");
  }
  if (generation === "1.x") {
    const tree: ArtifactPart = { name: "files", walk: "directory", digest, required: true };
    return { ...nothingSaid, parts: [tree] };
  }
  const message = artifact.message ?? (await readMessage(digest, context));
  if (message === undefined) return undefined;
  if (artifact.message !== undefined && !sameDigest(digestOf(digest.function, message), digest)) {
    throw new StillageError("corrupt", `the message at hand is not ${showDigest(digest)}`);
  }
  // Of 1.9x, the name has the message, and nobody looks for it among the blobs.
  if (generation === "2.x") await copier.offer([{ digest, bytes: message }]);
  return contentOfMessage(message, digest.function);
}

/** An artifact's own blobs: its message, and what that names and is required; the trees by their roots. Without a message that can be read, that alone. */
export async function rootsOf(artifact: IndexedArtifact, context: MessageContext): Promise<Digest[]> {
  const { generation, content } = artifact;
  if (generation === "1.x") return [content];
  const message = artifact.message ?? (await readMessage(content, context));
  const own = generation === "2.x" ? [content] : [];
  const parts = message === undefined ? [] : contentOfMessage(message, content.function).parts.filter(isRequired);
  return [...own, ...parts.map(({ digest }) => digest)];
}

type MessageContext = Pick<TreeContext, "near" | "sources" | "signal">;

async function readMessage(digest: Digest, context: MessageContext): Promise<Uint8Array | undefined> {
  if (digest.size > maxProtoBytes) {
    throw new StillageError("invalid", `the message ${showDigest(digest)} is larger than ${maxProtoBytes} bytes`);
  }
  const { near, sources, signal } = context;
  for (const row of near === undefined ? [sources] : [new SourceRow([near]), sources]) {
    if (digest.size > maxSmallBytes) {
      const large = await readLarge(row, digest, signal);
      if (large !== undefined) return large;
      continue;
    }
    const { blobs } = await readWhole(row, [digest], signal);
    if (blobs[0] !== undefined) return blobs[0].bytes;
  }
  return undefined;
}
