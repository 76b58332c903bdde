import { contentOfMessage } from "../../artifact/message-content.ts";
import { type Digest, digestOf, parseDigest } from "../../base/digest.ts";
import { sha256 } from "../../base/digest-function.ts";
import { StillageError } from "../../base/errors.ts";
import { digestMessage } from "../../cache/artifact-message.ts";
import type { Generation } from "../../store/artifact-refs.ts";

/** What a ref says. */
export interface ReadRef {
  readonly generation: Generation;
  readonly content: Digest;
  /** The ref's bytes, where they are the message. */
  readonly message: Uint8Array | undefined;
  /** Under which it may stand as well, the strong one first; `undefined` where the ref does not tell. */
  readonly keys: readonly string[] | undefined;
}

/** 1.95.6 and later write this version, 1.91 to 1.93 have 0 or 1. */
const firstOf2 = 2;

/** Reads a ref of BuildStream 1.9x and 2: the encoded Artifact. `undefined` for what is none. */
export function readMessageRef(bytes: Uint8Array): ReadRef | undefined {
  return unlessInvalid(() => {
    const { version = 0, keys } = contentOfMessage(bytes, sha256);
    return {
      generation: version < firstOf2 ? "1.9x" : "2.x",
      content: digestOf(sha256, bytes),
      message: bytes,
      keys: [keys.strong, keys.weak].flatMap((key) => key ?? []),
    };
  });
}

/** Reads a ref of BuildStream 1.1.4 to 1.6: the encoded Digest of the artifact's Directory. `undefined` for what is none. */
export function readDirectoryRef(bytes: Uint8Array): ReadRef | undefined {
  return unlessInvalid(() => {
    const { hash, sizeBytes } = digestMessage.decode(bytes);
    const content = parseDigest(hash, sizeBytes, sha256);
    return { generation: "1.x", content, message: undefined, keys: undefined };
  });
}

/** The ref of an artifact of 1.x: a Digest message. */
export function writeDirectoryRef({ hash, size }: Digest): Uint8Array {
  return digestMessage.encode({ hash, sizeBytes: size });
}

function unlessInvalid<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof StillageError && error.code === "invalid") return undefined;
    throw error;
  }
}
