import { BoundedJobs } from "../base/bounded-jobs.ts";
import { type Digest, parseDigest } from "../base/digest.ts";
import { ostree, sha256 } from "../base/digest-function.ts";
import { DigestList } from "../base/digest-list.ts";
import { StillageError } from "../base/errors.ts";
import { isPromise } from "../base/maybe-promise.ts";
import type { ArchiveEntry } from "../base/tar/archive-entry.ts";
import { ByteSource, gather } from "../base/tar/byte-source.ts";
import { readTar } from "../base/tar/tar-reader.ts";
import { checkMetadata } from "../ostree/check-metadata.ts";
import { maxMetadataBytes } from "../ostree/metadata-limit.ts";
import type { ObjectType } from "../ostree/object-name.ts";
import type { BlobStore } from "../store/blob-store.ts";
import { verifyBlob } from "../store/verify-blob.ts";
import { DetachedParts, maxDetachedBytes } from "./commit-detached.ts";
import { type MemberName, parseMemberName } from "./commit-member.ts";
import { maxCommitBytes } from "./commit-walk.ts";
import { readMessage } from "./read-message.ts";

/** Objects up to this size are gathered: they go into packs, many with one wait for the disk. A push that stalls holds no more than one. */
const gatheredBytes = 1 << 20;

/** What may be on its way into the store at a time: enough for a whole group of small objects to share a sync. */
const maxArrivingBytes = 8 << 20;
const maxArriving = 1000;

/** Bytes that an object may have. */
const mostBytes: Readonly<Record<ObjectType | "commitmeta", number>> = {
  file: Number.MAX_SAFE_INTEGER,
  dirtree: maxMetadataBytes,
  dirmeta: maxCommitBytes,
  commit: maxCommitBytes,
  commitmeta: maxDetachedBytes,
};

/** What became of the objects of one push. */
export interface PushedObjects {
  readonly stored: number;
  /** How many of them were here already. */
  readonly present: number;
  /** By the commits that they belong to: an encoded `a{sv}` each. */
  readonly detached: ReadonlyMap<string, Uint8Array>;
}

/**
 * Stores the objects of a BuildStream 1.0 push: the members of a tar archive, each called `CHECKSUM.TYPE`. Each is verified before it is stored: commits,
 * dirtrees and dirmetas have to be in their normal form, and every object has to have its checksum, file objects by what they hold. Memory: what is arriving, and a
 * piece of a large object; a large dirtree is read back once it is there.
 * A crash, or an error in the middle, leaves objects that no ref needs: expiry removes them. So it does a large blob that turned out to be no dirtree.
 * Errors: `failed-precondition` for an archive that is broken or breaks off, `invalid` for what is no object, `exhausted` where there is no room.
 */
export async function storeObjects(
  blobs: BlobStore,
  chunks: AsyncIterable<Uint8Array>,
  maxObjectBytes: number | undefined,
): Promise<PushedObjects> {
  const push = new ObjectPush(blobs, maxObjectBytes);
  const source = new ByteSource(chunks);
  try {
    for await (const entry of readTar(source, { marked: true })) await push.take(entry);
    return await push.end();
  } catch (error) {
    await push.settled();
    throw withoutRetry(error);
  } finally {
    await source.close();
  }
}

/** Whoever pushes over ssh does not try again by himself, so he hears of a full store as what it is. */
export function withoutRetry(error: unknown): unknown {
  const full = error instanceof StillageError && error.code === "unavailable" ? error.cause : undefined;
  return full instanceof StillageError && full.code === "exhausted" ? full : error;
}

class ObjectPush {
  private readonly blobs: BlobStore;
  private readonly maxObjectBytes: number;
  private readonly arriving = new BoundedJobs(maxArrivingBytes, maxArriving);
  private readonly detached = new DetachedParts();
  private stored = 0;
  private present = 0;

  constructor(blobs: BlobStore, maxObjectBytes: number | undefined) {
    this.blobs = blobs;
    this.maxObjectBytes = maxObjectBytes ?? Number.MAX_SAFE_INTEGER;
  }

  /** Takes over one member. What the store has already is read past. */
  async take(entry: ArchiveEntry): Promise<void> {
    const member = parseMemberName(entry.path);
    if (entry.kind !== "file") throw new StillageError("invalid", `${member.text} is not a file in the archive`);
    const { size } = entry;
    const { type } = member;
    if (type === "ignored") return;
    const most = Math.min(mostBytes[type], this.maxObjectBytes);
    if (size > most) {
      const code = type === "commitmeta" ? "invalid" : "exhausted";
      throw new StillageError(code, `${member.text} has ${size} bytes, and may have ${most}`);
    }
    if (type === "commitmeta") this.detached.add(member, await gather(size, entry.content()));
    else if (size > gatheredBytes) await this.takeLarge(member, type, size, entry.content);
    else {
      const bytes = await gather(size, entry.content());
      await this.arriving.add(size, () => this.store(member, type, bytes));
    }
  }

  async end(): Promise<PushedObjects> {
    await this.arriving.settled();
    const { stored, present } = this;
    return { stored, present, detached: this.detached.all };
  }

  /** Resolves once nothing is on its way any more, however it has ended. */
  async settled(): Promise<void> {
    await this.arriving.settled().catch(() => {});
  }

  private async store(member: MemberName, type: ObjectType, bytes: Uint8Array): Promise<void> {
    const { checksum, text } = member;
    const fn = type === "file" ? ostree : sha256;
    if (await this.has(checksum, fn)) return this.checkLarge(member, type);
    await explained(text, async () => {
      const digest = parseDigest(checksum, bytes.length, fn);
      if (type !== "file") {
        verifyBlob(digest, bytes); // before it is read, which takes longer
        checkMetadata(type, bytes);
      }
      await this.blobs.put(digest, bytes);
    });
    this.stored++;
  }

  private async takeLarge(
    member: MemberName,
    type: ObjectType,
    size: number,
    content: () => AsyncIterable<Uint8Array>,
  ): Promise<void> {
    const digest = parseDigest(member.checksum, size, type === "file" ? ostree : sha256);
    if (await this.has(member.checksum, digest.function)) return this.checkLarge(member, type);
    await explained(member.text, async () => {
      const upload = await this.blobs.upload(digest);
      try {
        for await (const piece of content()) {
          const written = upload.write(piece);
          if (isPromise(written)) await written;
        }
        await upload.finish();
      } finally {
        await upload.abort();
      }
    });
    await this.checkLarge(member, type);
    this.stored++;
  }

  /** Looks at metadata that was stored before somebody looked at it, in this push or in one that was refused for it. */
  private async checkLarge({ checksum, text }: MemberName, type: ObjectType): Promise<void> {
    if (type === "file") return;
    const size = (await this.blobs.sizeOf(sha256, checksum)) ?? 0;
    if (size <= gatheredBytes) return;
    await explained(text, async () => {
      if (size > mostBytes[type]) throw new StillageError("invalid", `it has ${size} bytes`);
      const bytes = await readMessage(this.blobs, parseDigest(checksum, size, sha256));
      if (bytes !== undefined) checkMetadata(type, bytes);
    });
  }

  /** Whether an object is here, in whatever encoding: it is used then. */
  private async has(checksum: string, fn: Digest["function"]): Promise<boolean> {
    const size = await this.blobs.sizeOf(fn, checksum);
    if (size === undefined) return false;
    const missing = await this.blobs.missing(DigestList.of({ function: fn, hash: checksum, size }));
    if (missing.length > 0) return false;
    this.present++;
    return true;
  }
}

/** Says of what fails which object it was. */
async function explained(text: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof StillageError) || error.code !== "invalid") throw error;
    throw new StillageError("invalid", `the object ${text} cannot be taken: ${error.message}`, { cause: error });
  }
}
