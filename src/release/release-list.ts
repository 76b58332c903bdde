import { canonicalJson } from "./manifest.ts";

/** A signature or a key by its owner: the name of a file in `keys/`, or else what the signature says of itself. */
export interface ListedSigner {
  readonly kind: "gpg" | "ed25519";
  /** The name of the key among the repository's; null for a key that is not one of them. */
  readonly name: string | null;
  /** GPG: the fingerprint. Ed25519: SHA-256 of the public key's SubjectPublicKeyInfo; null where the signature is of a key that is not known. */
  readonly id: string | null;
}

/** A file beside a release, by its path from the directory `public`. */
export interface ListedFile {
  readonly name: string;
  readonly path: string;
  readonly sha256: string;
  readonly size: number;
  readonly mediaType: string;
}

/** One commit on one branch. */
export interface ListedRelease {
  readonly branch: string;
  readonly version: string | null;
  readonly commit: string;
  readonly content: string;
  /** The commit's time: RFC 3339, in UTC, to the second. */
  readonly date: string;
  readonly subject: string;
  /** Whether the branch is here now. */
  readonly current: boolean;
  readonly endOfLife: string | null;
  /** The branch that takes over after the end of life. */
  readonly rebase: string | null;
  readonly signers: readonly ListedSigner[];
  readonly manifest: ListedFile | null;
  readonly provenance: ListedFile | null;
  /** Whatever else lies beside it. */
  readonly files: readonly ListedFile[];
}

/** A public key in `keys/`. */
export interface ListedKey {
  readonly kind: "gpg" | "ed25519";
  readonly name: string;
  readonly id: string;
  /** Its files by their paths from `public`. */
  readonly files: readonly string[];
  /** Ed25519: the key as `ostree` takes it, base64 of its 32 bytes. */
  readonly inline: string | null;
}

/** All that the releases page and `releases.json` say. Paths count from the directory `public`. */
export interface ReleaseList {
  readonly listVersion: 1;
  readonly name: string;
  readonly title: string;
  readonly description: string | null;
  /** Where `public` is found on the web, without a slash at its end. */
  readonly url: string | null;
  readonly keys: readonly ListedKey[];
  /** The newest first. */
  readonly releases: readonly ListedRelease[];
}

/** The bytes of `releases.json`. */
export function encodeReleaseList(list: ReleaseList): Uint8Array {
  return Buffer.from(canonicalJson(list));
}
