import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { Digest } from "../../base/digest.ts";
import { type MemoryPlace, memoryPlace } from "../memory-place.fixture.ts";
import { blobContents } from "../reading/file-contents.ts";
import { type Node, putTree } from "../reading/tree.fixture.ts";
import { readTree } from "../reading/whole-tree.ts";
import { checkoutDirectory, type DirectoryOptions } from "./checkout-directory.ts";
import { tarOfTree } from "./tree-tar.ts";

const { signal } = new AbortController();

const sample: Record<string, Node> = {
  bin: { directory: { tool: { content: "#!/bin/sh\n", executable: true }, twin: "same" } },
  share: { directory: { "a b.txt": "same", empty: "", void: { directory: {} }, large: "x".repeat(600_000) } },
  absolute: { link: "/etc/passwd" },
  up: { link: "../.." },
  "grüße 😀": "ü",
  old: { directory: { file: { content: "old", modified: 1_000_000_000.5 } }, modified: 1_100_000_000 },
};

describe("checkout", () => {
  let folder: string;
  let place: MemoryPlace;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "checkout-"));
    place = memoryPlace();
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const put = (entries: Parameters<typeof putTree>[1]): Promise<Digest> => putTree(place.tenant.blobs, entries);
  async function checkout(root: Digest, name = "out", options: Partial<DirectoryOptions> = {}): Promise<string> {
    const tree = await readTree(place.blobs, root, signal);
    const target = join(folder, name);
    await checkoutDirectory(target, tree, blobContents(place.blobs), { signal, force: false, ...options });
    return target;
  }

  test("a tree becomes what it says, and nothing else", async () => {
    const out = await checkout(await put(sample));
    assert.deepEqual(readdirSync(folder), ["out"]);
    assert.deepEqual(readdirSync(out).sort(), ["absolute", "bin", "grüße 😀", "old", "share", "up"]);
    assert.equal(readFileSync(join(out, "share/a b.txt"), "utf8"), "same");
    assert.equal(readFileSync(join(out, "bin/twin"), "utf8"), "same");
    assert.equal(statSync(join(out, "share/large")).size, 600_000);
    assert.equal(statSync(join(out, "share/empty")).size, 0);
    assert.deepEqual(readdirSync(join(out, "share/void")), []);
    assert.equal(readlinkSync(join(out, "absolute")), "/etc/passwd");
    const mask = process.umask();
    assert.equal(statSync(join(out, "bin/tool")).mode & 0o7777, 0o777 & ~mask);
    assert.equal(statSync(join(out, "bin/twin")).mode & 0o7777, 0o666 & ~mask);
    assert.equal(statSync(out).mode & 0o7777, 0o777 & ~mask);
    assert.equal(statSync(join(out, "old/file")).mtimeMs, 1_000_000_000_500);
    assert.equal(statSync(join(out, "old")).mtimeMs, 1_100_000_000_000);
  });

  test("what the file system cannot call so is named by its path in the tree, and nothing is left", async () => {
    const name = "n".repeat(300);
    for (const node of ["small", "x".repeat(600_000), { link: "x" }, { directory: {} }] satisfies Node[]) {
      const root = await put({ sub: { directory: { [name]: node } } });
      const message = `writing sub/${name}: it has a name that is too long (ENAMETOOLONG)`;
      await assert.rejects(checkout(root), { code: "unsupported", message });
      assert.deepEqual(readdirSync(folder), []);
    }
  });

  test("directories are asked for a level at a time, and files in groups", async () => {
    const level = (name: string, below: Record<string, Node>): Record<string, Node> =>
      Object.fromEntries(
        Array.from({ length: 6 }, (_, i) => [`${name}${i}`, { directory: { ...below, own: `${name}${i}` } }]),
      );
    const root = await put(level("a", level("b", {})));
    await checkout(root);
    // The root; 6 directories; 6 directories that all of those have; the files.
    assert.deepEqual(place.asked, [1, 6, 6, 12]);
    assert.equal(readdirSync(join(folder, "out/a5/b3")).length, 1);
  });

  test("names that reach outside, and names that are there twice, are refused before anything is written", async () => {
    const hostile: [string, Parameters<typeof putTree>[1]][] = [
      ["up", { "..": { directory: { x: "x" } } }],
      ["here", { ".": "x" }],
      ["path", { "a/../../x": "x" }],
      ["nothing", { "": "x" }],
      ["NUL", { "a\0b": "x" }],
      [
        "link and directory",
        [
          ["a", { link: "/tmp" }],
          ["a", { directory: { x: "x" } }],
        ],
      ],
      [
        "link and file",
        [
          ["a", "x"],
          ["a", { link: "/tmp/x" }],
        ],
      ],
      [
        "two files",
        [
          ["a", "x"],
          ["a", "y"],
        ],
      ],
      ["link to nowhere", { a: { link: "" } }],
      ["link with NUL", { a: { link: "a\0b" } }],
    ];
    for (const [what, entries] of hostile) {
      await assert.rejects(
        put({ inner: { directory: entries } }).then((root) => checkout(root)),
        { code: "corrupt" },
        what,
      );
      assert.deepEqual(readdirSync(folder), [], what);
    }
  });

  test("a tree of a few kilobytes that has any number of files is refused", async () => {
    let at = await put({ file: "x" });
    for (let i = 0; i < 40; i++) at = await put({ a: { at }, b: { at } });
    await assert.rejects(checkout(at), { code: "unsupported", message: /more than 5000000 entries/ });
    assert.deepEqual(readdirSync(folder), []);
  });

  test("a tree that is deeper than any path is refused, also where each directory is near the root as well", async () => {
    let at = await put({ file: "x" });
    const all: [string, Node][] = [];
    for (let i = 0; i < 1100; i++) {
      all.push([`n${i}`, { at }]);
      at = await put({ a: { at } });
    }
    await assert.rejects(checkout(await put([...all, ["deep", { at }]])), {
      code: "unsupported",
      message: /within each other/,
    });
    assert.deepEqual(readdirSync(folder), []);
  });

  test("what is missing leaves nothing behind", async () => {
    const root = await put({ here: "here", there: "there" });
    const lost = await put({ there: "there" });
    const { blobs } = place;
    const hidden = {
      ...place.blobs,
      readMany: (...[digests, take]: Parameters<typeof blobs.readMany>) =>
        blobs
          .readMany(
            digests.filter(({ size }) => size !== 5),
            take,
            signal,
          )
          .then((missing) => [...missing, ...digests.filter(({ size }) => size === 5)]),
    };
    for (const digest of [root, lost]) {
      const tree = await readTree(blobs, digest, signal);
      await assert.rejects(
        checkoutDirectory(join(folder, "out"), tree, blobContents(hidden), { signal, force: false }),
        {
          code: "not-found",
          message: /"there" is missing/,
        },
      );
    }
    assert.deepEqual(readdirSync(folder), []);
  });

  test("interrupted, it leaves nothing behind", async () => {
    const root = await put(sample);
    const tree = await readTree(place.blobs, root, signal);
    const stop = new AbortController();
    const options = { signal: stop.signal, force: false, onProgress: () => stop.abort(new Error("enough")) };
    await assert.rejects(checkoutDirectory(join(folder, "out"), tree, blobContents(place.blobs), options), /enough/);
    assert.deepEqual(readdirSync(folder), []);
  });

  test("a directory that is not empty is left alone", async () => {
    mkdirSync(join(folder, "out"));
    writeFileSync(join(folder, "out/mine"), "mine");
    await assert.rejects(checkout(await put({ mine: "theirs" })), { code: "exists" });
    assert.equal(readFileSync(join(folder, "out/mine"), "utf8"), "mine");
    writeFileSync(join(folder, "file"), "");
    await assert.rejects(checkout(await put({}), "file", { force: true }), { code: "exists" });
  });

  test("with force what is in the way is replaced, the rest stays, and no link is followed", async () => {
    const [out, outside] = [join(folder, "out"), join(folder, "outside")];
    mkdirSync(join(out, "bin"), { recursive: true });
    mkdirSync(outside);
    writeFileSync(join(out, "bin/tool"), "mine");
    writeFileSync(join(out, "bin/mine"), "mine");
    writeFileSync(join(outside, "target"), "untouched");
    symlinkSync(outside, join(out, "share"));
    symlinkSync(join(outside, "target"), join(out, "up"));
    await checkout(await put(sample), "out", { force: true });
    assert.equal(readFileSync(join(out, "bin/tool"), "utf8"), "#!/bin/sh\n");
    assert.equal(readFileSync(join(out, "bin/mine"), "utf8"), "mine");
    assert.ok(lstatSync(join(out, "share")).isDirectory());
    assert.equal(readlinkSync(join(out, "up")), "../..");
    assert.deepEqual(readdirSync(outside), ["target"]);
    assert.equal(readFileSync(join(outside, "target"), "utf8"), "untouched");
    assert.deepEqual(
      readdirSync(out).filter((name) => name.startsWith(".")),
      [],
    );
  });

  test("with force a directory in the way of a file is told of before anything is moved", async () => {
    mkdirSync(join(folder, "out/z"), { recursive: true });
    await assert.rejects(checkout(await put({ a: "a", z: "z" }), "out", { force: true }), {
      code: "exists",
      message: /z is a directory, and a file in the artifact/,
    });
    assert.deepEqual(readdirSync(join(folder, "out")), ["z"]);
  });

  test("links lead to the objects of a cache, and never change their mode", async () => {
    const root = await put({
      plain: "same",
      tool: { content: "tool", executable: true },
      twin: { content: "same", executable: true },
    });
    const objects = join(folder, "objects");
    mkdirSync(objects);
    const objectPath = (digest: Digest): string => join(objects, digest.hash);
    const tree = await readTree(place.blobs, root, signal);
    for (const entry of tree.directory(root).entries) {
      if (entry.type !== "file") continue;
      rmSync(objectPath(entry.digest), { force: true });
      writeFileSync(objectPath(entry.digest), entry.name === "tool" ? "tool" : "same");
      chmodSync(objectPath(entry.digest), 0o444);
    }
    const out = await checkout(root, "out", { objectPath });
    assert.equal(statSync(join(out, "plain")).nlink, 2);
    for (const name of ["tool", "twin"]) {
      assert.equal(statSync(join(out, name)).nlink, 1);
      assert.equal(statSync(join(out, name)).mode & 0o7777, 0o777 & ~process.umask());
    }
    for (const name of readdirSync(objects)) assert.equal(statSync(join(objects, name)).mode & 0o777, 0o444);
  });

  test("an archive has the same, and is the same each time", async () => {
    const root = await put({ ...sample, again: { at: await put(sample) } });
    const archive = async (): Promise<Buffer> => {
      const pieces: Uint8Array[] = [];
      const tree = await readTree(place.blobs, root, signal);
      for await (const piece of tarOfTree(tree, blobContents(place.blobs), { signal })) pieces.push(piece);
      return Buffer.concat(pieces);
    };
    const bytes = await archive();
    assert.ok(bytes.equals(await archive()));
    mkdirSync(join(folder, "unpacked"));
    execFileSync("tar", ["-xf", "-", "-C", join(folder, "unpacked")], { input: bytes });
    await checkout(root);
    execFileSync("diff", ["-r", "--no-dereference", join(folder, "out"), join(folder, "unpacked")]);
  });
});
