import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type MemoryPlace, memoryPlace } from "../memory-place.fixture.ts";
import { blobContents } from "../reading/file-contents.ts";
import { type Node, putTree } from "../reading/tree.fixture.ts";
import { treePaths } from "../reading/tree-paths.ts";
import { directoriesOf, readLevel, readTree, type WholeDirectory } from "../reading/whole-tree.ts";
import { type ComparedTree, treeChanges } from "./tree-changes.ts";

const { signal } = new AbortController();
type Nodes = Readonly<Record<string, Node>>;

async function compared(place: MemoryPlace, nodes: Nodes | undefined): Promise<ComparedTree> {
  const known = new Map<string, WholeDirectory>();
  return {
    root: nodes && (await putTree(place.tenant.blobs, nodes)),
    files: blobContents(place.blobs),
    readLevel: (digests) => readLevel(place.blobs, digests, known, signal),
    directory: directoriesOf(known),
  };
}

async function changes(before: Nodes | undefined, after: Nodes | undefined): Promise<string[]> {
  const place = memoryPlace();
  const found: string[] = [];
  const [from, to] = [await compared(place, before), await compared(place, after)];
  for await (const change of treeChanges(from, to, signal)) {
    const sign = change.from === undefined ? "A" : change.to === undefined ? "D" : "M";
    found.push([sign, change.path, ...change.differences].join(" "));
  }
  return found;
}

test("what is another is told, and how", async () => {
  const before: Nodes = {
    same: { directory: { a: "a", deep: { directory: { b: "b" } } } },
    file: "old",
    tool: "tool",
    link: { link: "here" },
    turned: "file",
    gone: { directory: { in: { directory: { it: "x" } } } },
  };
  const after: Nodes = {
    same: { directory: { a: "a", deep: { directory: { b: "b" } } } },
    file: "new",
    tool: { content: "tool", executable: true },
    link: { link: "there" },
    turned: { directory: { now: "inside" } },
    "new": { link: "x" },
  };
  assert.deepEqual(await changes(before, after), [
    "M file content",
    "D gone",
    "D gone/in",
    "D gone/in/it",
    "M link target",
    "A new",
    "M tool executable",
    "M turned type",
    "A turned/now",
  ]);
  assert.deepEqual(await changes(before, before), []);
  assert.deepEqual(await changes(undefined, { a: "a" }), ["A a"]);
  assert.deepEqual(await changes({ a: "a" }, undefined), ["D a"]);
});

test("directories that are equal are not read, and each level is one question", async () => {
  const place = memoryPlace();
  const tree = (leaf: string): Nodes => ({
    equal: { directory: { x: { directory: { y: "y" } } } },
    one: { directory: { in: { directory: { leaf } } } },
    two: { directory: { in: { directory: { leaf: `${leaf} 2` } } } },
  });
  const [from, to] = [await compared(place, tree("1")), await compared(place, tree("2"))];
  for await (const { path } of treeChanges(from, to, signal)) assert.match(path, /^(one|two)\/in\/leaf$/);
  assert.deepEqual(place.asked, [1, 1, 2, 2, 2, 2]);
});

test("a tree that has each directory in it twice is refused before anything is told", async () => {
  const place = memoryPlace();
  let root = await putTree(place.tenant.blobs, { leaf: "x" });
  for (let level = 0; level < 40; level++)
    root = await putTree(place.tenant.blobs, { a: { at: root }, b: { at: root } });
  const bomb = { ...(await compared(place, undefined)), root };
  for (const [from, to] of [
    [bomb, await compared(place, undefined)],
    [await compared(place, { a: "a" }), bomb],
  ] as const) {
    await assert.rejects(treeChanges(from, to, signal).next(), { code: "unsupported" });
  }
  assert.equal((await treeChanges(bomb, bomb, signal).next()).done, true);
});

test("two trees differ in what their lists of paths differ in", async () => {
  const { tree } = fc.letrec<{ tree: Nodes; node: Node }>((tie) => ({
    tree: fc.dictionary(fc.constantFrom("a", "b", "c", "ü", "😀"), tie("node"), { maxKeys: 4, noNullPrototype: true }),
    node: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom<Node>("1", "2", { link: "1" }, { content: "1", executable: true }),
      tie("tree").map((directory) => ({ directory })),
    ),
  }));
  const lines = async (nodes: Nodes): Promise<Set<string>> => {
    const place = memoryPlace();
    const whole = await readTree(place.blobs, await putTree(place.tenant.blobs, nodes), signal);
    return new Set(
      [...treePaths(whole)].map(({ path, entry }) =>
        JSON.stringify([
          path,
          entry.type,
          entry.type === "file" ? [entry.digest.hash, entry.executable] : entry.type === "symlink" ? entry.target : "",
        ]),
      ),
    );
  };
  await fc.assert(
    fc.asyncProperty(tree, tree, async (before, after) => {
      const [were, are] = [await lines(before), await lines(after)];
      const pathOf = (line: string): string => (JSON.parse(line) as [string])[0];
      const ofOneOnly = [...[...were].filter((line) => !are.has(line)), ...[...are].filter((line) => !were.has(line))];
      const expected = new Set(ofOneOnly.map(pathOf));
      const told = (await changes(before, after)).map((line) => line.split(" ")[1] as string);
      assert.deepEqual(new Set(told), expected);
      assert.equal(told.length, expected.size, "each once");
    }),
    { numRuns: 20 },
  );
});
