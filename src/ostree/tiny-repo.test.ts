import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256 } from "../base/digest-function.ts";
import { hashOf } from "../base/hash.ts";
import { isSymlink, parseFilezHead } from "../base/ostree-file.ts";
import { ostreeHashOf, plainContent, RunningOstreeHash, wholeHead } from "../base/ostree-hash.ts";
import { contentChecksum, decodeCommit, encodeCommit } from "./commit.ts";
import { decodeDirMeta, encodeDirMeta } from "./dirmeta.ts";
import { decodeDirTree, encodeDirTree } from "./dirtree.ts";
import { checksumOfFile, encodeFilez } from "./filez.ts";
import { type ObjectType, objectPath, parseObjectPath } from "./object-name.ts";
import { hex, tinyAnswers, tinyRepository } from "./vectors.fixture.ts";

const files = tinyRepository();

function object(checksum: string, type: ObjectType): Uint8Array {
  const bytes = files.get(objectPath(checksum, type));
  assert.ok(bytes !== undefined, `${checksum}.${type}`);
  return bytes;
}

const recode = {
  commit: (bytes: Uint8Array) => encodeCommit(decodeCommit(bytes)),
  dirtree: (bytes: Uint8Array) => encodeDirTree(decodeDirTree(bytes)),
  dirmeta: (bytes: Uint8Array) => encodeDirMeta(decodeDirMeta(bytes)),
};

test("every object has its checksum, and metadata is written as it was read", async () => {
  let count = 0;
  for (const { checksum, type } of tinyAnswers.objects) {
    if (type === "commitmeta") continue;
    count++;
    const bytes = object(checksum, type === "filez" ? "file" : type);
    if (type === "filez") {
      assert.equal(ostreeHashOf(bytes), checksum);
      const running = new RunningOstreeHash();
      for (const byte of bytes.subarray(0, 60)) await running.update(Uint8Array.of(byte));
      await running.update(bytes.subarray(60));
      assert.equal(await running.digest(), checksum);
    } else {
      assert.equal(hashOf(sha256, bytes), checksum);
      assert.equal(hex(recode[type](bytes)), hex(bytes), `${checksum}.${type}`);
    }
  }
  assert.equal(count, 48);
  assert.equal([...files.keys()].filter((path) => parseObjectPath(path) !== undefined).length, 48);
});

test("objects are in the files as their bytes are told of", () => {
  for (const [name, bytes] of Object.entries(tinyAnswers.metadata_hex)) {
    const [checksum = "", type = ""] = name.split(".");
    if (type === "commitmeta") continue;
    assert.equal(hex(object(checksum, type as ObjectType)), bytes);
  }
  for (const [checksum, bytes] of Object.entries(tinyAnswers.small_filez_hex)) {
    assert.equal(hex(object(checksum, "file")), bytes);
  }
});

test("commits are named and have the content that ostree says", () => {
  for (const [ref, checksum] of Object.entries(tinyAnswers.commits)) {
    assert.equal(new TextDecoder().decode(files.get(`refs/heads/${ref}`)), `${checksum}\n`);
    assert.equal(contentChecksum(decodeCommit(object(checksum, "commit"))), tinyAnswers.content_checksums[ref]);
  }
});

test("a commit tells its message, time, parent and metadata", () => {
  const one = decodeCommit(object(tinyAnswers.commits["test/one"] ?? "", "commit"));
  assert.deepEqual([one.subject, one.body, one.timestamp], ["subject", "body line 1\nline 2\n", 1577934245]);
  assert.deepEqual([one.parent, one.metadata], [undefined, []]);
  const two = decodeCommit(object(tinyAnswers.commits["test/two"] ?? "", "commit"));
  assert.equal(two.parent, tinyAnswers.commits["test/one"]);
  assert.deepEqual(two.metadata, [
    ["version", { type: "s", value: "1.2.3" }],
    ["note", { type: "s", value: "é" }],
    ["number", { type: "u", value: 7 }],
    ["list", { type: "as", value: ["a", "b"] }],
    ["ostree.ref-binding", { type: "as", value: ["test/two"] }],
  ]);
});

/** The lines of `ostree ls -R -C` for a directory and what is in it, but not in `wide`. */
function listing(tree: string, meta: string, path: string): string[] {
  const { files, directories } = decodeDirTree(object(tree, "dirtree"));
  const { mode, uid, gid } = decodeDirMeta(object(meta, "dirmeta"));
  const lines = [`d${octal(mode)} ${uid} ${gid}      0 ${tree} ${meta} ${path || "/"}`];
  if (path === "/wide") return lines;
  for (const { name, checksum } of files) {
    const { header, size } = wholeHead(object(checksum, "file"));
    const kind = isSymlink(header) ? "l" : "-";
    const target = isSymlink(header) ? ` -> ${header.symlink}` : "";
    const numbers = `${kind}${octal(header.mode)} ${header.uid} ${header.gid} ${String(size).padStart(6)}`;
    lines.push(`${numbers} ${checksum} ${path}/${name}${target}`);
  }
  return [...lines, ...directories.flatMap((each) => listing(each.tree, each.meta, `${path}/${each.name}`))];
}

const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(5, "0");

test("trees are listed as ostree lists them", () => {
  for (const [ref, lines] of Object.entries(tinyAnswers.listings_without_wide)) {
    const { tree, treeMeta } = decodeCommit(object(tinyAnswers.commits[ref] ?? "", "commit"));
    assert.deepEqual(
      listing(tree, treeMeta, "").toSorted(),
      lines.filter((line) => !line.includes(" /wide/")).toSorted(),
    );
  }
});

test("files are packed so that they have the same checksum, at every level", () => {
  for (const { checksum, type } of tinyAnswers.objects) {
    if (type !== "filez") continue;
    const bytes = object(checksum, "file");
    const head = parseFilezHead(bytes);
    assert.ok(head !== undefined);
    const plain = plainContent(head, bytes);
    assert.equal(plain.length, head.size);
    assert.equal(checksumOfFile(head.header, plain), checksum);
    for (const level of [0, 1, 6, 9] as const)
      assert.equal(ostreeHashOf(encodeFilez(head.header, plain, level)), checksum);
  }
});
