import { createHash } from "node:crypto";
import { copyFile, mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { stringify } from "yaml";
import type { Project } from "../support/project.ts";

/** Elements that `all.bst` consists of, itself among them. */
export const elementCount = 50;

/** How long each of the slow builds sleeps. */
const slowSeconds = 1;

/**
 * Writes a project whose elements are mostly cheap: imports, half of which build on others, stacks, and four builds in the sandbox, three of which sleep; one has a source that has to be fetched. `half.bst` is a half of it, `sad.bst`
 * has a build in it that fails, and `new.bst` a source without a ref.
 */
export async function writeWideProject(folder: string): Promise<Project> {
  const elements: Record<string, object> = {
    "base.bst": imported("base"),
    "slow-a.bst": slow("a", ["base.bst"]),
    "slow-b.bst": slow("b", ["base.bst"]),
    "after/slow-a.bst": { ...slow("c", ["slow-a.bst"]), sources: [await upstream(folder)] },
    "quick.bst": built("quick", ["base.bst"], "true"),
    "bad.bst": built("bad", ["base.bst"], "echo this goes wrong; false"),
    "needs-bad.bst": { kind: "stack", depends: ["bad.bst"] },
  };
  const parts = Array.from({ length: elementCount - 7 }, (_, i) => `part/${i}.bst`);
  for (const [i, name] of parts.entries()) {
    const build = i % 2 === 0 ? [] : [parts[i >> 1] as string];
    elements[name] = { ...imported(`part${i}`), "build-depends": build };
  }
  const half = parts.slice(0, 22);
  elements["half.bst"] = { kind: "stack", depends: half };
  const slows = ["slow-a.bst", "slow-b.bst", "after/slow-a.bst", "quick.bst"];
  elements["all.bst"] = { kind: "stack", depends: ["half.bst", ...parts.slice(22), ...slows] };
  elements["sad.bst"] = { kind: "stack", depends: ["needs-bad.bst", "all.bst"] };
  elements["new.bst"] = { kind: "import", sources: [{ kind: "remote", url: "file:///nowhere" }] };
  await put(folder, "project.conf", stringify({ name: "wide", "min-version": "2.0", "element-path": "elements" }));
  for (const [path, element] of Object.entries(elements)) {
    await put(folder, join("elements", path), stringify(element, { aliasDuplicateObjects: false }));
  }
  for (const i of parts.keys()) await put(folder, `files/part${i}/part${i}.txt`, `part ${i}\n`);
  await writeBase(join(folder, "files/base"));
  return { folder, upstream: "" };
}

/** Writes a project of one element, `through.bst`, which needs one of a subproject, and that recommends these caches. */
export async function writeJoinedProjects(folder: string, artifacts: readonly object[]): Promise<Project> {
  await put(folder, "project.conf", stringify({ name: "outer", "min-version": "2.0", "element-path": "elements" }));
  await put(folder, "elements/sub.bst", stringify({ kind: "junction", sources: [{ kind: "local", path: "sub" }] }));
  await put(folder, "elements/through.bst", stringify({ kind: "stack", depends: ["sub.bst:deep/inner.bst"] }));
  await put(folder, "sub/project.conf", stringify({ name: "inner", "min-version": "2.0", artifacts }));
  await put(folder, "sub/deep/inner.bst", stringify(imported("inner")));
  await put(folder, "sub/files/inner/inner.txt", "inner\n");
  return { folder, upstream: "" };
}

/** A source that has to be fetched from elsewhere. */
async function upstream(folder: string): Promise<object> {
  const content = "from elsewhere\n";
  await put(folder, "upstream/source.txt", content);
  const ref = createHash("sha256").update(content).digest("hex");
  return { kind: "remote", url: `file://${join(folder, "upstream/source.txt")}`, ref };
}

function imported(files: string): object {
  return { kind: "import", sources: [{ kind: "local", path: `files/${files}` }] };
}

const slow = (name: string, needs: string[]): object => built(name, needs, `sleep ${slowSeconds}`);

function built(name: string, needs: string[], command: string): object {
  const install = `mkdir -p %{install-root}/opt; echo ${name} > %{install-root}/opt/${name}`;
  return {
    kind: "manual",
    // What is built with it needs the shell, too.
    ...{ "build-depends": needs, "runtime-depends": ["base.bst"] },
    config: { "build-commands": [command], "install-commands": [install] },
  };
}

async function writeBase(folder: string): Promise<void> {
  for (const each of ["bin", "dev", "proc", "sys"]) await mkdir(join(folder, each), { recursive: true });
  await put(folder, "tmp/keep", "");
  await copyFile("/bin/busybox", join(folder, "bin/busybox"));
  for (const each of ["sh", "echo", "false", "mkdir", "sleep", "true"])
    await symlink("busybox", join(folder, "bin", each));
}

async function put(folder: string, path: string, content: string): Promise<void> {
  const file = join(folder, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
}
