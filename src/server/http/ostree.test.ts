import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { unidentified } from "../../base/caller.ts";
import { digestOf, parseDigest } from "../../base/digest.ts";
import { ostree, sha256 } from "../../base/digest-function.ts";
import { silentLog } from "../../base/log.ts";
import { commitRef, putCommit, type StoredCommit } from "../../cache/commit.fixture.ts";
import { CommitIndex } from "../../cache/commit-index.ts";
import { type MemoryTenant, memoryTenant } from "../../cache/tenant.fixture.ts";
import { tenantsOf } from "../../cache/tenant.ts";
import type { HttpHandler } from "../../http/exchange.ts";
import { objectPath } from "../../ostree/object-name.ts";
import { ask } from "./asking.fixture.ts";
import { ostreeCache } from "./ostree.ts";

const elsewhere: HttpHandler = () => ({ status: 418, headers: {} });

describe("the OSTree view of a cache", () => {
  let tenant: MemoryTenant;
  let door: HttpHandler;
  let commit: StoredCommit;
  const attached = Buffer.from("attached");

  beforeEach(async () => {
    tenant = memoryTenant("");
    const { refs, blobs, closure } = tenant;
    const index = new CommitIndex({
      instance: "",
      refs,
      blobs,
      closure,
      quiet: closure,
      damage: () => 0,
      log: silentLog,
    });
    door = ostreeCache({ tenants: tenantsOf([tenant]), commits: () => index, log: silentLog }, elsewhere);
    commit = await putCommit(blobs, { small: "1", large: "x".repeat(10) });
    const digest = digestOf(sha256, attached);
    await blobs.put(digest, attached);
    await refs.put([commitRef("p/e/1", commit, digest)]);
  });

  it("has what a client reads first", async () => {
    assert.match((await ask(door, "/ostree/config")).body.toString(), /^mode=archive-z2$/m);
    assert.equal((await ask(door, "/ostree/refs/heads/p/e/1")).body.toString(), `${commit.checksum}\n`);
    const summary = await ask(door, "/ostree/summary");
    assert.ok(summary.body.includes("p/e/1"));
    for (const path of ["config", "summary", "refs/heads/p/e/1"]) {
      const { headers } = await ask(door, `/ostree/${path}`);
      assert.equal(headers["cache-control"], "no-cache");
      const again = await ask(door, `/ostree/${path}`, { headers: { "if-none-match": headers.etag ?? "" } });
      assert.deepEqual([again.status, again.body.length], [304, 0]);
    }
  });

  it("has the objects, which anybody may keep for ever", async () => {
    const [file] = commit.files;
    assert.ok(file);
    const paths = [
      objectPath(commit.checksum, "commit"),
      objectPath(commit.tree, "dirtree"),
      objectPath(commit.meta, "dirmeta"),
      objectPath(file.checksum, "file"),
    ];
    for (const path of paths) {
      const got = await ask(door, `/ostree/${path}`);
      assert.equal(got.status, 200, path);
      assert.equal(got.headers["content-length"], String(got.body.length));
      assert.match(got.headers["cache-control"] ?? "", /^public, .*immutable/);
      const head = await ask(door, `/ostree/${path}`, { method: "HEAD" });
      assert.deepEqual([head.status, head.headers, head.body.length], [200, got.headers, 0]);
      const known = await ask(door, `/ostree/${path}`, { headers: { "if-none-match": got.headers.etag ?? "" } });
      assert.equal(known.status, 304);
    }
    assert.deepEqual((await ask(door, `/ostree/${paths[3]}`)).body, Buffer.from(file.filez));
  });

  it("has what is attached to a commit, which may change", async () => {
    const path = `/ostree/${objectPath(commit.checksum, "commit")}meta`;
    const got = await ask(door, path);
    assert.deepEqual([got.body, got.headers["cache-control"]], [attached, "no-cache"]);
    await tenant.refs.put([commitRef("p/e/1", commit)]);
    assert.equal((await ask(door, path)).status, 404);
  });

  it("says plainly what is not there", async () => {
    const nothing = "0".repeat(64);
    const paths = [
      "summary.sig",
      "refs/heads/p/e/2",
      "refs/heads/p",
      objectPath(nothing, "commit"),
      `${objectPath(nothing, "commit")}meta`,
      objectPath(nothing, "file"),
      objectPath(commit.tree, "commit"),
      "delta-indexes/ab/cd.index",
      "deltas/ab/cd/superblock",
      "objects/",
    ];
    for (const path of paths) assert.equal((await ask(door, `/ostree/${path}`)).status, 404, path);
    assert.equal((await ask(door, "/ostree/")).status, 418);
    await assert.rejects(ask(door, "/ostree/other/summary"), { code: "not-found" });
  });

  it("gives out no commit of which something is missing", async () => {
    const [file] = commit.files;
    assert.ok(file);
    await tenant.blobs.remove(parseDigest(file.checksum, file.filez.length, ostree));
    assert.equal((await ask(door, `/ostree/${objectPath(commit.checksum, "commit")}`)).status, 404);
    assert.equal((await ask(door, "/ostree/refs/heads/p/e/1")).status, 404);
    assert.ok(!(await ask(door, "/ostree/summary")).body.includes("p/e/1"));
  });

  it("can be read only, by who may pull", async () => {
    for (const method of ["PUT", "POST", "DELETE"])
      assert.equal((await ask(door, "/ostree/summary", { method })).status, 405);
    for (const path of ["summary", "summary.sig", "config", objectPath(commit.checksum, "commit")])
      await assert.rejects(ask(door, `/ostree/${path}`, { caller: unidentified }), { code: "unauthenticated" });
  });
});
