import { randomBytes } from "node:crypto";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { IndexedArtifact } from "../../../src/client/artifact-index.ts";
import { openOstreeRemote } from "../../../src/client/ostree/open-ostree-remote.ts";
import type { OstreePlace } from "../../../src/client/ostree/ostree-place.ts";
import type { RemoteAuth, RemoteSpec } from "../../../src/client/remote-spec.ts";
import type { Repository } from "../push/repository.ts";
import type { Workspace } from "../support/workspace.ts";

/** Keys of an artifact, the strong one first. */
export const keys = ["1", "2"].map((digit) => digit.repeat(64)) as [string, string];

/** What nothing ends. */
export const unending = new AbortController().signal;

const noAuth: RemoteAuth = {
  serverCert: undefined,
  clientCert: undefined,
  clientKey: undefined,
  accessToken: undefined,
  accessTokenReloadMinutes: undefined,
};

/** A remote as a configuration would have it. */
export function remote(url: string, { push = true, auth = {} }: { push?: boolean; auth?: Partial<RemoteAuth> } = {}) {
  const connection = {
    keepaliveSeconds: undefined,
    retryLimit: undefined,
    retryDelayMs: undefined,
    requestTimeoutSeconds: undefined,
  };
  const named = { name: url, url, type: "all", push, instanceName: "", origin: "test" } as const;
  return { ...named, auth: { ...noAuth, ...auth }, connection } satisfies RemoteSpec;
}

export function openRemote(...words: Parameters<typeof remote>): Promise<OstreePlace> {
  return openOstreeRemote(remote(...words), { signal: unending });
}

/** The artifact of an element of the project `demo`, which has to be there. */
export async function found(
  place: OstreePlace,
  element: string,
  ...asked: readonly string[]
): Promise<IndexedArtifact> {
  const artifact = await place.index.find({ project: "demo", element, keys: asked }, unending);
  if (artifact === undefined) throw new Error(`there is no ${element} in ${place.name}`);
  return artifact;
}

/** Commits an artifact as BuildStream 1.0 does, by both keys. Gives the commit. */
export async function commitArtifact(
  workspace: Workspace,
  repository: Repository,
  element: string,
  { files = 3, large = 100_000 }: { files?: number; large?: number } = {},
): Promise<string> {
  const tree = await workspace.folder("artifact");
  for (const name of ["files/bin", "logs", "meta"]) await mkdir(join(tree, name), { recursive: true });
  for (let i = 0; i < files; i++) await writeFile(join(tree, `files/file-${i}`), `${element} ${i}\n`);
  await writeFile(join(tree, "files/bin/run"), randomBytes(large));
  await chmod(join(tree, "files/bin/run"), 0o755);
  await symlink("bin/run", join(tree, "files/link"));
  await writeFile(join(tree, "logs/build.log"), `${element} was built\n`);
  await writeFile(join(tree, "meta/public.yaml"), "bst: {}\n");
  const meta = [
    "keys:",
    `  strong: ${keys[0]}`,
    `  weak: ${keys[1]}`,
    "  dependencies:",
    `    base: ${keys[0]}`,
    "workspaced: false",
    "workspaced_dependencies: []",
  ];
  await writeFile(join(tree, "meta/artifact.yaml"), `${meta.join("\n")}\n`);
  const refs = keys.map((key) => `demo/${element}/${key}`);
  const subject = `--subject=${refs[0]}`;
  const commit = (
    await repository.run(
      "commit",
      `--tree=dir=${tree}`,
      "--no-bindings",
      "--canonical-permissions",
      subject,
      "--orphan",
    )
  ).trim();
  for (const ref of refs) await repository.run("refs", commit, `--create=${ref}`);
  return commit;
}
