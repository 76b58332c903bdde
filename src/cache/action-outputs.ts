import { type Digest, parseDigest } from "../base/digest.ts";
import type { DigestFunction } from "../base/digest-function.ts";
import { StillageError } from "../base/errors.ts";
import type {
  ActionResult,
  Digest as DigestMessage,
  OutputDirectory,
} from "../gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import type { Root } from "../store/ref-store.ts";

/**
 * What must be there for a result to be of use (remote_execution.proto, ActionResult): output files; the trees and root directories of
 * output directories, both where both are named; stdout and stderr unless the result holds their bytes. Errors: `invalid` for
 * a digest that cannot be, and an output that names none.
 */
export function rootsOfResult(result: ActionResult, fn: DigestFunction): Root[] {
  const roots = new Map<string, Root>();
  const add = (walk: Root["walk"], digest: Digest | undefined): void => {
    if (digest !== undefined) roots.set(`${walk} ${digest.hash} ${digest.size}`, { walk, digest });
  };
  for (const file of result.outputFiles) add("blob", required(given(file.digest, fn), file.path));
  for (const directory of result.outputDirectories) addDirectory(directory, fn, add);
  const stdout = given(result.stdoutDigest, fn);
  const stderr = given(result.stderrDigest, fn);
  if (result.stdoutRaw.length === 0) add("blob", stdout);
  if (result.stderrRaw.length === 0) add("blob", stderr);
  return [...roots.values()];
}

function addDirectory(
  { path, treeDigest, rootDirectoryDigest }: OutputDirectory,
  fn: DigestFunction,
  add: (walk: Root["walk"], digest: Digest | undefined) => void,
): void {
  const tree = given(treeDigest, fn);
  const root = given(rootDirectoryDigest, fn);
  if (tree === undefined) required(root, path);
  add("tree", tree);
  add("directory", root);
}

/** A digest without a hash stands for none. */
function given(digest: DigestMessage | undefined, fn: DigestFunction): Digest | undefined {
  return digest === undefined || digest.hash === "" ? undefined : parseDigest(digest.hash, digest.sizeBytes, fn);
}

function required(digest: Digest | undefined, path: string): Digest {
  if (digest !== undefined) return digest;
  throw new StillageError("invalid", `the output ${JSON.stringify(path.slice(0, 200))} has no digest`);
}
