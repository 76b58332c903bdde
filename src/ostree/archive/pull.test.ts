import assert from "node:assert/strict";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { StillageError } from "../../base/errors.ts";
import { filezHead } from "../../base/ostree-file.ts";
import { canonicalFile } from "../canonical-mode.ts";
import { objectPath } from "../object-name.ts";
import { tinyAnswers } from "../vectors.fixture.ts";
import type { ArchiveRepository } from "./archive-repository.ts";
import { directorySource } from "./directory-source.ts";
import { fsckRepository } from "./fsck-repository.ts";
import type { ObjectSource } from "./object-source.ts";
import { pullCommits } from "./pull.ts";
import { commitFiles, Folders, putCommit } from "./repository.fixture.ts";
import { detachedPath } from "./repository-layout.ts";

const commits = Object.values(tinyAnswers.commits);

async function pullAll(target: ArchiveRepository, source: ObjectSource, from = commits): Promise<number> {
  await using change = await target.begin();
  const { objects } = await pullCommits(change, source, from, { pauseMs: 0 });
  for (const [index, commit] of from.entries()) change.setRef(`pulled/${index}`, commit);
  await change.publish();
  return objects;
}

/** A source of which some paths are answered otherwise. */
function altered(source: ObjectSource, answer: (path: string) => Uint8Array | undefined | "same"): ObjectSource {
  return {
    async get(path, maxBytes) {
      const other = answer(path);
      if (other === "same") return source.get(path, maxBytes);
      return other && pieces(other);
    },
  };
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

test("brings commits with all that they need, once", async () => {
  await using folders = new Folders();
  const [source, target] = [await folders.tiny(), await folders.repository()];
  const count = await pullAll(target, directorySource(source.directory));
  assert.equal(count, tinyAnswers.objects.filter(({ type }) => type !== "commitmeta").length);
  assert.deepEqual((await fsckRepository(target)).problems, []);
  for (const { checksum } of tinyAnswers.objects.filter(({ type }) => type === "commitmeta")) {
    assert.deepEqual(await target.readDetached(checksum), await source.readDetached(checksum));
  }
  assert.equal(await pullAll(target, directorySource(source.directory)), 0);
});

test("what is here already is not asked for, though a directory may be here without its files", async () => {
  await using folders = new Folders();
  const [source, target] = [await folders.tiny(), await folders.repository()];
  await pullAll(target, directorySource(source.directory));
  const [lost = ""] = (await readdir(join(target.directory, "objects"), { recursive: true })).filter((name) =>
    name.endsWith(".filez"),
  );
  await rm(join(target.directory, "objects", lost));
  for (const commit of commits) await writeFile(join(target.directory, "state", `${commit}.commitpartial`), "");
  assert.equal((await fsckRepository(target)).partial, commits.length);
  assert.equal(await pullAll(target, directorySource(source.directory)), 1);
  const report = await fsckRepository(target);
  assert.deepEqual([report.problems, report.partial], [[], 0]);
});

test("ancestors come along as deep as it is said, and end where the source's do", async () => {
  await using folders = new Folders();
  const source = await folders.repository();
  const line: string[] = [];
  for (const text of ["1", "2", "3", "4"]) line.push(await commitFiles(source, "line", { file: text }));
  const here = async (depth: number): Promise<number[]> => {
    const target = await folders.repository();
    await using change = await target.begin();
    await pullCommits(change, directorySource(source.directory), [line[3] ?? ""], { depth });
    await change.publish();
    return line.flatMap((commit, index) => (target.has(commit, "commit") ? [index] : []));
  };
  assert.deepEqual(await here(0), [3]);
  assert.deepEqual(await here(2), [1, 2, 3]);
  await rm(source.pathOf(line[0] ?? "", "commit"));
  assert.deepEqual(await here(Number.POSITIVE_INFINITY), [1, 2, 3]);
});

test("what is missing, broken or not what it is called fails by its name, and nothing stays", async () => {
  await using folders = new Folders();
  const tiny = await folders.tiny();
  const source = directorySource(tiny.directory);
  const root = tinyAnswers.commits["test/xattrs"] ?? "";
  const { tree = "", treeMeta = "" } = (await tiny.commit(root)) ?? {};
  const file = (await tiny.dirTree(tree))?.files.find(({ name }) => name === "f")?.checksum ?? "";
  const [filez, dirtree, dirmeta] = [
    objectPath(file, "file"),
    objectPath(tree, "dirtree"),
    objectPath(treeMeta, "dirmeta"),
  ];
  const commit = objectPath(root, "commit");
  const good = await readFile(join(tiny.directory, filez));
  const bomb = Buffer.concat([filezHead(canonicalFile(0o644), 10), deflateRawSync(Buffer.alloc(50_000_000))]);
  const cases: [string, Uint8Array | undefined, string, RegExp][] = [
    [filez, undefined, "not-found", /the file [0-9a-f]{64}: it is needed/],
    [dirtree, undefined, "not-found", /the dirtree [0-9a-f]{64}/],
    [commit, undefined, "not-found", /the commit [0-9a-f]{64}/],
    [filez, good.subarray(0, -1), "invalid", /the file [0-9a-f]{64}/],
    [filez, Buffer.concat([good, Buffer.from("x")]), "invalid", /the file [0-9a-f]{64}/],
    [filez, bomb, "invalid", /the file [0-9a-f]{64}/],
    [filez, new Uint8Array(), "invalid", /the file [0-9a-f]{64}/],
    [dirtree, Buffer.from("text"), "invalid", /the dirtree [0-9a-f]{64}: its bytes have another checksum/],
    [dirmeta, new Uint8Array(12), "invalid", /the dirmeta [0-9a-f]{64}/],
    [commit, Buffer.alloc(200), "invalid", /the commit [0-9a-f]{64}/],
    [dirtree, Buffer.alloc(11 * 1024 * 1024), "invalid", /the dirtree [0-9a-f]{64}: .*larger than/],
    [`${commit}meta`, Buffer.from("no dictionary"), "invalid", /the commit [0-9a-f]{64}/],
  ];
  const target = await folders.repository();
  for (const [at, bytes, code, message] of cases) {
    const answer = altered(source, (asked) => (asked === at ? bytes : "same"));
    await assert.rejects(pullAll(target, answer, [root]), { code, message }, `${at} ${bytes?.length}`);
    assert.deepEqual(await readdir(join(target.directory, "objects")), []);
    assert.deepEqual(await readdir(join(target.directory, "tmp")), ["cache"]);
  }
});

test("what may pass is asked for again, some times", async () => {
  await using folders = new Folders();
  const tiny = await folders.tiny();
  const source = directorySource(tiny.directory);
  const failures = new Map<string, number>();
  const flaky = (times: number): ObjectSource => ({
    async get(path, maxBytes) {
      const failed = failures.get(path) ?? 0;
      failures.set(path, failed + 1);
      const content = await source.get(path, maxBytes);
      if (failed >= times || content === undefined) return content;
      if (failed % 2 === 1) throw new StillageError("unavailable", "it answers 503");
      return (async function* () {
        for await (const piece of content) {
          yield piece.subarray(0, 10);
          throw new StillageError("unavailable", "the connection broke");
        }
      })();
    },
  });
  const target = await folders.repository();
  const some = [tinyAnswers.commits["test/xattrs"] ?? ""];
  await assert.rejects(pullAll(target, flaky(5), some), { code: "unavailable" });
  assert.ok([...failures.values()].every((count) => count <= 5));
  failures.clear();
  await pullAll(target, flaky(4), some);
  assert.deepEqual((await fsckRepository(target)).problems, []);
});

test("signatures of a history that is here are asked for side by side, once where lines meet", async () => {
  await using folders = new Folders();
  const target = await folders.repository();
  const line: string[] = [];
  for (const content of ["1", "2", "3", "4"]) line.push(await commitFiles(target, "line", { file: content }));
  const other = await (async () => {
    await using change = await target.begin();
    const commit = await putCommit(change, { file: "other" }, line[2]);
    change.setRef("other", commit);
    await change.publish();
    return commit;
  })();
  const asked: string[] = [];
  const [waiting, all] = [Promise.withResolvers<undefined>(), line.length + 1];
  // Answers nothing until everything has been asked for.
  const source: ObjectSource = {
    get(path) {
      if (asked.push(path) === all) waiting.resolve(undefined);
      return waiting.promise;
    },
  };
  await using change = await target.begin();
  await pullCommits(change, source, [line[3] ?? "", other], { depth: Number.POSITIVE_INFINITY });
  assert.deepEqual(asked.sort(), [...line, other].map((commit) => detachedPath(commit)).sort());
});
