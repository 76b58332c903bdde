import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256 } from "../base/digest-function.ts";
import { hashOf } from "../base/hash.ts";
import { canonicalDirectory, canonicalFile, canonicalLink, canonicalMode } from "./canonical-mode.ts";
import { contentChecksum, encodeCommit } from "./commit.ts";
import { encodeDirMeta } from "./dirmeta.ts";
import { type DirTree, encodeDirTree, type TreeDirectory, type TreeFile } from "./dirtree.ts";
import { checksumOfFile } from "./filez.ts";
import { readJson, tinyAnswers } from "./vectors.fixture.ts";

interface Described {
  readonly path: string;
  readonly type: "file" | "symlink" | "dir";
  readonly mode?: string;
  readonly text?: string;
  readonly target?: string;
  readonly generated?: string;
}

const described = readJson<{ tree_one: Described[] }>("tiny-repo.json").tree_one.flatMap((each) => {
  if (each.path !== "wide/NNNN") return [each];
  return Array.from({ length: 2000 }, (_, i) => ({ ...each, path: `wide/${String(i).padStart(4, "0")}` }));
});

function contentOf({ text, generated, path }: Described): Uint8Array {
  if (text !== undefined) return Buffer.from(text);
  if (generated === "100000 zero bytes") return new Uint8Array(100_000);
  assert.equal(generated, "u32 little-endian 0..4999", path);
  return new Uint8Array(Uint32Array.from({ length: 5000 }, (_, i) => i).buffer);
}

const checksum = (bytes: Uint8Array): string => hashOf(sha256, bytes);

/** The directory of all that is described below `prefix`. */
function treeAt(prefix: string): DirTree {
  const files: TreeFile[] = [];
  const directories = new Map<string, TreeDirectory>();
  for (const each of described) {
    if (!each.path.startsWith(prefix) || each.path === prefix) continue;
    const [name = "", ...below] = each.path.slice(prefix.length).split("/");
    if (below.length > 0 || each.type === "dir") {
      if (below.length > 0 && directories.has(name)) continue;
      const mode = Number.parseInt(described.find(({ path }) => path === prefix + name)?.mode ?? "755", 8);
      const tree = checksum(encodeDirTree(treeAt(`${prefix}${name}/`)));
      directories.set(name, { name, tree, meta: checksum(encodeDirMeta(canonicalDirectory(mode))) });
    } else if (each.type === "symlink") {
      files.push({ name, checksum: checksumOfFile(canonicalLink(each.target ?? ""), new Uint8Array()) });
    } else {
      files.push({
        name,
        checksum: checksumOfFile(canonicalFile(Number.parseInt(each.mode ?? "", 8)), contentOf(each)),
      });
    }
  }
  return { files, directories: [...directories.values()] };
}

test("a tree with all modes has the commit that ostree gave it", () => {
  const tree = checksum(encodeDirTree(treeAt("")));
  const treeMeta = checksum(encodeDirMeta(canonicalDirectory(0o755)));
  assert.equal(contentChecksum({ tree, treeMeta }), tinyAnswers.content_checksums["test/one"]);
  const [subject, body] = ["subject", "body line 1\nline 2\n"];
  const bytes = encodeCommit({ metadata: [], parent: undefined, subject, body, timestamp: 1577934245, tree, treeMeta });
  assert.equal(checksum(bytes), tinyAnswers.commits["test/one"]);
});

test("of a mode, the type and what is neither special nor for others to write stays", () => {
  assert.equal(canonicalMode(0o104777), 0o100755);
  assert.equal(canonicalMode(0o100600), 0o100600);
  assert.equal(canonicalMode(0o042775), 0o040755);
  assert.equal(canonicalMode(0o120777), 0o120777);
});
