import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import timers from "node:timers/promises";
import { StillageError } from "../../base/errors.ts";
import { holdArtifact, memoryPlace } from "../transfer/memory-place.fixture.ts";
import { openClient } from "./open-client.ts";

async function fresh() {
  const path = await mkdtemp(join(tmpdir(), "stillage-library-"));
  return {
    path,
    options: { cache: join(path, "cache"), environment: { HOME: path }, remembersUnreachable: false },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

test("everything that is wrong with the configuration is told, each with its place", async () => {
  await using folder = await fresh();
  await mkdir(join(folder.path, ".config/stillage"), { recursive: true });
  const file = join(folder.path, ".config/stillage/client.yaml");
  await writeFile(file, "remotes:\n- urk: http://a\n- url: 5\n");
  const error = await openClient({ ...folder.options }).catch((caught: unknown) => caught);
  assert.ok(error instanceof StillageError);
  assert.equal(error.code, "invalid");
  assert.ok(error.violations.length >= 2, error.message);
  for (const { field } of error.violations) assert.match(field, /client\.yaml:\d+:\d+$/);
});

test("options that are none are told, with what may be meant", async () => {
  await using folder = await fresh();
  const options = { ...folder.options, remotez: ["https://cache.example.com"], bzt: undefined };
  const error = await openClient(options).catch((caught: unknown) => caught);
  assert.ok(error instanceof StillageError);
  assert.deepEqual(
    [error.code, error.message],
    ["invalid", "openClient: remotez: there is no such option; did you mean remotes?"],
  );
  assert.deepEqual(error.violations[1], { field: "bzt", description: "there is no such option; did you mean bst?" });
});

test("who has several servers to read from does not pause for those that refuse the connection", async (t) => {
  await using folder = await fresh();
  const pauses = t.mock.method(timers, "setTimeout");
  syncBuiltinESMExports();
  t.after(() => {
    pauses.mock.restore();
    syncBuiltinESMExports();
  });
  const left: string[] = [];
  const remotes = ["one", "two"].map((name) => `unix:${join(folder.path, name)}`);
  await using client = await openClient({
    ...folder.options,
    remotes,
    onRemoteLeft: ({ spec }) => left.push(spec.url),
  });
  assert.deepEqual(await client.remotes(), []);
  assert.deepEqual([left.toSorted(), pauses.mock.callCount()], [remotes, 0]);
});

test("places that somebody opened are pulled from, read and compared, and stay open", async () => {
  await using folder = await fresh();
  await using client = await openClient(folder.options);
  const source = memoryPlace({ name: "memory" });
  holdArtifact(source, { key: "a", files: { "one.txt": "1", sub: { "two.txt": "22" } } });
  holdArtifact(source, { key: "b", files: { "one.txt": "1", sub: { "two.txt": "333" } } });
  const states: number[] = [];
  const report = await client.pull(["harbour/app"], {
    from: source,
    onProgress: ({ items }) => states.push(items.done),
  });
  assert.deepEqual(report.results, { copied: 2, present: 0, missing: 0, failed: 0, skipped: 0 });
  assert.equal(states.at(-1), 2);
  const [a, b] = ["a", "b"].map((key) => client.find(`harbour/app/${key.repeat(64)}`, { in: "local" }));
  const [from, to] = [await (a as NonNullable<typeof a>), await (b as NonNullable<typeof b>)];
  const paths: string[] = [];
  for await (const { path } of from.entries()) paths.push(path);
  assert.deepEqual(paths, ["one.txt", "sub", "sub/two.txt"]);
  const changes: string[] = [];
  for await (const { path } of client.diff(from, to).files()) changes.push(path);
  assert.deepEqual(changes, ["sub/two.txt"]);
  const piece = await from.read("sub/two.txt").next();
  assert.equal(Buffer.from(piece.value ?? []).toString(), "22");
  await assert.rejects(from.read("sub").next(), { code: "invalid", message: /directory/ });
  assert.deepEqual((await client.remove([from.name])).length, 1);
  await assert.rejects(client.find(from.name, { in: "local" }), { code: "not-found" });
  await assert.rejects(client.remove(["harbour/app"], { in: source }), { code: "unsupported" });
  await assert.rejects(from.read("three.txt").next(), { code: "not-found" });
});

test("all that a place has is in a tar file once the mirror of it is done", async () => {
  await using folder = await fresh();
  await using client = await openClient(folder.options);
  const source = memoryPlace({ name: "memory" });
  const tar = join(folder.path, "all.tar");
  for (const element of ["app", "lib"]) {
    holdArtifact(source, { element, files: { "one.txt": element } });
    const items: string[] = [];
    await client.mirror(source, tar, { onItem: ({ result }) => items.push(result) });
    assert.deepEqual(items.sort(), element === "app" ? ["copied"] : ["copied", "present"]);
  }
  assert.equal((await client.pull(["harbour/*"], { from: tar })).results.copied, 2);
});

test("names that mean nothing are outcomes, and a signal is `cancelled`", async () => {
  await using folder = await fresh();
  await using client = await openClient(folder.options);
  const source = memoryPlace();
  const report = await client.mirror(source, "local", { names: ["harbour/none", "?"] });
  assert.deepEqual([report.results.missing, report.results.failed], [1, 1]);
  assert.deepEqual(
    report.unfinished.map(({ error }) => error?.code),
    ["not-found", "invalid"],
  );
  const signal = AbortSignal.abort();
  for (const call of [
    client.find("harbour/app", { signal }),
    client.pull(["harbour/app"], { from: source, signal }),
    client.list({ signal }).next(),
  ]) {
    await assert.rejects(call, { name: "StillageError", code: "cancelled", cause: signal.reason });
  }
  const nobody = await client.pull(["harbour/app"]);
  assert.equal(nobody.unfinished[0]?.error?.code, "failed-precondition");
});

test("a server that cannot be reached keeps nobody from the others, and a push tells that it got nothing", async () => {
  await using folder = await fresh();
  await using client = await openClient(folder.options);
  const [source, target] = [memoryPlace(), memoryPlace()];
  holdArtifact(source, { files: { "one.txt": "1" } });
  const dead = "http://127.0.0.1:1";
  const pulled = await client.pull(["harbour/app"], { from: [dead, source] });
  assert.deepEqual([pulled.results.copied, pulled.leftOut], [1, 0]);
  const pushed = await client.push(["harbour/app"], { to: [dead, target] });
  assert.deepEqual([pushed.results.copied, pushed.leftOut, target.names.size], [1, 1, 2]);
});

test("a client that is closed does nothing more", async () => {
  await using folder = await fresh();
  const client = await openClient(folder.options);
  await client.close();
  await assert.rejects(client.find("harbour/app"), { code: "cancelled" });
  await client.close();
});
