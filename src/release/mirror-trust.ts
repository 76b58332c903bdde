import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { StillageError } from "../base/errors.ts";
import { makeFolder } from "../base/make-folder.ts";
import type { ArchiveRepository, StoredSummary } from "../ostree/archive/archive-repository.ts";
import type { MirrorGuard } from "../ostree/archive/mirror-repository.ts";
import type { OfferedCommit } from "../ostree/archive/pull.ts";
import { decodeEnvelope } from "./dsse.ts";
import { type PublicKey, parseKeys, readKeyDirectory, readKeyFile } from "./public-keys.ts";
import { replaceFile } from "./replace-file.ts";
import { Verifier } from "./verifier.ts";
import { verifyEnvelope } from "./verify-beside.ts";
import { verifyDetached } from "./verify-signatures.ts";

/** A file of keys that a source offers, by its path from the public directory. */
export interface OfferedKeys {
  readonly path: string;
  readonly bytes: Uint8Array;
}

interface KeyFile {
  /** In the directory of keys. */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly keys: readonly PublicKey[];
}

export interface TrustOptions {
  /** The mirror's own directory of keys. */
  readonly directory: string;
  /** Keys that somebody has from elsewhere; `undefined` for those that the mirror has. */
  readonly given: readonly PublicKey[] | undefined;
  /** Trust whatever keys the source has, besides. */
  readonly trustNewKeys: boolean;
  readonly warn: (sentence: string) => void;
}

/**
 * Whom a mirror believes. Signatures have to be of keys that are given, or that it has already. Where it has none, those of the source are believed this first time, and no
 * others after that, unless somebody says so. A source that has no keys, and a mirror that has none, have nothing to verify.
 */
export class MirrorTrust implements MirrorGuard, AsyncDisposable {
  private readonly directory: string;
  /** What of the source's keys is to be here, too. */
  private readonly wanted: readonly KeyFile[];
  private readonly verifier: Verifier | undefined;

  private constructor(directory: string, wanted: readonly KeyFile[], verifier: Verifier | undefined) {
    this.directory = directory;
    this.wanted = wanted;
    this.verifier = verifier;
  }

  /** Errors: `invalid` for a file of the source that is no key, `exists` where one has the name of another that is here. */
  static async open(offered: readonly OfferedKeys[], options: TrustOptions): Promise<MirrorTrust> {
    const { directory, given, trustNewKeys, warn } = options;
    const files: KeyFile[] = [];
    for (const each of offered) files.push({ name: basename(each.path), bytes: each.bytes, keys: await keysOf(each) });
    const here = await readKeyDirectory(directory);
    const known = given ?? here;
    const all = trustNewKeys || known.length === 0;
    const isIn = (list: readonly PublicKey[]) => (key: PublicKey) => list.some(({ id }) => id === key.id);
    // A file with a key that nobody knows is not taken for another that is in it.
    const accepted = files.filter(({ keys }) => all || keys.every(isIn(known)));
    const strangers = new Map(files.flatMap(({ keys }) => keys).map((key) => [key.id, key.name]));
    for (const { id } of known) strangers.delete(id);
    if (strangers.size > 0) {
      const names = [...strangers].map(([id, name]) => `${name} (${id})`).join(", ");
      warn(
        all
          ? `these keys of the source are trusted from now on, and are to be compared with what its owner says: ${names}`
          : `the source has keys that are not known here, and are not taken: ${names}`,
      );
    }
    const wanted: KeyFile[] = [];
    for (const file of accepted) {
      const path = join(directory, file.name);
      if (!existsSync(path)) {
        // What is here may say of a key that it was revoked, and another file of the same key may not.
        if (file.keys.some((key) => key.kind === "ed25519" || !isIn(here)(key))) wanted.push(file);
        continue;
      }
      const there = await readKeyFile(path);
      if (!there.every(isIn(file.keys)) || !file.keys.every(isIn(there))) {
        throw new StillageError(
          "exists",
          `${file.name} of the source is another key than the ${file.name} that is here`,
          {
            hint: "`release keys remove` takes away the one that is here",
          },
        );
      }
      if (trustNewKeys) wanted.push(file);
    }
    // Together they say all that is known of a key: that it is good for longer, or was revoked.
    const trusted = [...known, ...accepted.flatMap(({ keys }) => keys)];
    return new MirrorTrust(directory, wanted, trusted.length === 0 ? undefined : await Verifier.open(trusted));
  }

  /** Errors: `failed-precondition` where nobody has signed it who is known. */
  async summary({ bytes, signature }: StoredSummary): Promise<void> {
    if (!(await this.hasSigned(bytes, signature))) throw unsigned("the list of branches");
  }

  /** What a branch leads to has to be signed; what it stands on is named by it. Signatures that are here go for better ones alone. Errors: `failed-precondition`. */
  async commit({ checksum, bytes, detached, isAncestor }: OfferedCommit): Promise<boolean> {
    const fine = await this.hasSigned(bytes, detached);
    if (!fine && !isAncestor) throw unsigned(`the commit ${checksum}`);
    return fine;
  }

  async ready(): Promise<void> {
    await makeFolder(this.directory);
    for (const { name, bytes } of this.wanted) await replaceFile(join(this.directory, name), bytes);
  }

  /** Of a release that is signed, the provenance has to be, too. Errors: `failed-precondition`, `invalid`. */
  async provenance(archive: ArchiveRepository, commit: string, bytes: Uint8Array): Promise<void> {
    const envelope = decodeEnvelope(bytes);
    if (this.verifier === undefined) return;
    const released = (await archive.readMetadata(commit, "commit")) ?? new Uint8Array();
    if (!(await this.hasSigned(released, await archive.readDetached(commit)))) return;
    const found = await verifyEnvelope(this.verifier, envelope);
    if (!found.some(({ verdict }) => verdict === "valid")) throw unsigned(`the provenance of ${commit}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.verifier?.[Symbol.asyncDispose]();
  }

  private async hasSigned(bytes: Uint8Array, detached: Uint8Array | undefined): Promise<boolean> {
    if (this.verifier === undefined) return true;
    const found = detached === undefined ? [] : await verifyDetached(this.verifier, bytes, detached);
    return found.some(({ verdict }) => verdict === "valid");
  }
}

async function keysOf({ path, bytes }: OfferedKeys): Promise<readonly PublicKey[]> {
  try {
    return await parseKeys(basename(path).replace(/\.[^.]*$/, ""), bytes);
  } catch (error) {
    throw new StillageError("invalid", `${path} of the source is no public key: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function unsigned(what: string): StillageError {
  return new StillageError("failed-precondition", `${what} of the source is signed by no key that is known here`, {
    hint: "give its owner's keys with --keys, or, where they are new and you have compared them, say --trust-new-keys",
  });
}
