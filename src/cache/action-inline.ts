import { parseDigest } from "../base/digest.ts";
import type { DigestFunction } from "../base/digest-function.ts";
import type {
  ActionResult,
  Digest as DigestMessage,
} from "../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import type { BlobStore } from "../store/blob-store.ts";
import { readMessage } from "./read-message.ts";

/** What a client wants to have in the answer itself. */
export interface Inline {
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Paths of output files. */
  readonly files: readonly string[];
}

export const inlineNothing: Inline = { stdout: false, stderr: false, files: [] };

export const wantsInline = ({ stdout, stderr, files }: Inline): boolean => stdout || stderr || files.length > 0;

/** Puts the bytes of what a client wants into a result, first what stands first, as long as `room` bytes last. */
export async function inlineInto(
  result: ActionResult,
  wanted: Inline,
  fn: DigestFunction,
  blobs: BlobStore,
  room: number,
): Promise<void> {
  let left = room;
  const bytesOf = async (digest: DigestMessage | undefined, there: Uint8Array): Promise<Uint8Array> => {
    if (there.length > 0 || digest === undefined || digest.hash === "" || digest.sizeBytes > left) return there;
    const bytes = await readMessage(blobs, parseDigest(digest.hash, digest.sizeBytes, fn));
    if (bytes === undefined) return there;
    left -= bytes.length;
    return bytes;
  };
  if (wanted.stdout) result.stdoutRaw = await bytesOf(result.stdoutDigest, result.stdoutRaw);
  if (wanted.stderr) result.stderrRaw = await bytesOf(result.stderrDigest, result.stderrRaw);
  const paths = new Set(wanted.files);
  for (const file of result.outputFiles) {
    if (paths.has(file.path)) file.contents = await bytesOf(file.digest, file.contents);
  }
}
