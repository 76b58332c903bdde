import assert from "node:assert/strict";
import { cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { directorySource } from "../ostree/archive/directory-source.ts";
import { type MirrorOptions, mirrorReleases } from "./mirror-releases.ts";
import { type PublicKey, readKeyDirectory, readKeyFile } from "./public-keys.ts";
import { createRelease } from "./publish.ts";
import type { ReleaseRepository } from "./release-repository.ts";
import { type ReleaseFolder, releaseFolder, requestFor } from "./releases.fixture.ts";
import { publicKeyFile, secretKeyFile } from "./signing.fixture.ts";
import { allFindings } from "./verify-report.ts";
import { verifyRepository } from "./verify-repository.ts";

async function signedBy(folder: ReleaseFolder, name: string, number: number): Promise<ReleaseRepository> {
  return folder.init(name, { signers: [{ ed25519: await secretKeyFile(folder.path, `key-${number}`, number) }] });
}

const release = (folder: ReleaseFolder, repository: ReleaseRepository, content: string, branch = "main") =>
  folder.write(repository, (writer) =>
    createRelease(writer, requestFor({ f: content }, { branches: [branch], version: content }), {
      dryRun: false,
      now: 0,
    }),
  );

const mirror = (folder: ReleaseFolder, to: ReleaseRepository, from: string, options: Partial<MirrorOptions> = {}) =>
  folder.write(to, (writer) => mirrorReleases(writer, directorySource(from), { remove: false, ...options }));

async function wrongWith({ layout }: ReleaseRepository, keys?: readonly PublicKey[]): Promise<string[]> {
  const report = await verifyRepository({ directory: layout.directory, keys, release: undefined, all: true, now: 0 });
  return allFindings(report).flatMap(({ outcome, about, says }) => (outcome === "failed" ? [`${about}: ${says}`] : []));
}

describe("a mirror of signed releases", () => {
  it("takes the keys of its source the first time, and from then on what they have signed alone", async () => {
    await using folder = await releaseFolder();
    const [from, evil, to] = [
      await signedBy(folder, "from", 1),
      await signedBy(folder, "evil", 2),
      await folder.init("to"),
    ];
    await release(folder, from, "1");
    await release(folder, evil, "2");
    await mirror(folder, to, from.layout.public);
    assert.match(folder.warnings.join(), /trusted from now on.*: key-1 \([0-9a-f]{64}\)$/);
    const ref = join(to.layout.archive, "refs/heads/main");
    const before = await readFile(ref, "utf8");
    for (const force of [false, true]) {
      await assert.rejects(mirror(folder, to, evil.layout.public, { force }), {
        code: "failed-precondition",
        message: /list of branches of the source is signed by no key/,
      });
    }
    assert.equal(await readFile(ref, "utf8"), before);
    assert.deepEqual((await readdir(to.layout.keys)).sort(), ["key-1.ed25519", "key-1.pem"]);
    // Nor what nobody has signed.
    const bare = join(folder.path, "bare");
    await cp(from.layout.public, bare, { recursive: true });
    await rm(join(bare, "repo/summary.sig"));
    await assert.rejects(mirror(folder, to, bare), { code: "failed-precondition" });
    await release(folder, from, "3");
    assert.equal((await mirror(folder, to, from.layout.public)).changedBranches, 1);
    assert.deepEqual(await wrongWith(to), []);
  });

  it("needs a signature of each commit that a branch leads to, and keeps those that it has", async () => {
    await using folder = await releaseFolder();
    const [from, to] = [await signedBy(folder, "from", 1), await folder.init("to")];
    await release(folder, from, "1");
    await mirror(folder, to, from.layout.public);
    const commit = (await readFile(join(from.layout.archive, "refs/heads/main"), "utf8")).trim();
    const detached = (repository: ReleaseRepository) =>
      join(repository.layout.archive, `objects/${commit.slice(0, 2)}/${commit.slice(2)}.commitmeta`);
    const good = await readFile(detached(from));
    await writeFile(detached(from), new Uint8Array(0));
    await assert.rejects(mirror(folder, to, from.layout.public), { message: /the commit .* is signed by no key/ });
    await writeFile(detached(from), good);
    await release(folder, from, "2");
    await writeFile(detached(from), new Uint8Array(0));
    await mirror(folder, to, from.layout.public);
    assert.deepEqual(await readFile(detached(to)), good);
  });

  it("does not go back, nor elsewhere, unless it is told", async () => {
    await using folder = await releaseFolder();
    const [from, to] = [await signedBy(folder, "from", 1), await folder.init("to")];
    await release(folder, from, "1");
    const old = join(folder.path, "old");
    await cp(from.layout.public, old, { recursive: true });
    await release(folder, from, "2");
    await mirror(folder, to, from.layout.public);
    await assert.rejects(mirror(folder, to, old), { code: "failed-precondition", message: /does not follow on/ });
    assert.equal((await mirror(folder, to, old, { force: true })).changedBranches, 1);
  });

  it("takes new keys where it is told, or where they are given", async () => {
    await using folder = await releaseFolder();
    const [from, to] = [await signedBy(folder, "from", 1), await folder.init("to")];
    const other = await readKeyFile(await publicKeyFile(folder.path, "other", 3));
    await release(folder, from, "1");
    await assert.rejects(mirror(folder, to, from.layout.public, { keys: other }), { code: "failed-precondition" });
    await publicKeyFile(from.layout.keys, "added", 2);
    await release(folder, from, "2");
    const names = async (): Promise<string[]> => (await readKeyDirectory(to.layout.keys)).map(({ name }) => name);
    const own = await readKeyFile(join(from.layout.keys, "key-1.ed25519"));
    await mirror(folder, to, from.layout.public, { keys: own });
    assert.deepEqual(await names(), ["key-1"]);
    assert.match(folder.warnings.join(), /are not taken: added/);
    await mirror(folder, to, from.layout.public, { trustNewKeys: true });
    assert.deepEqual(await names(), ["added", "key-1"]);
    // What is no key stays where it is, and nothing moves.
    await release(folder, from, "3");
    await writeFile(join(from.layout.keys, "added.ed25519"), "\u0099garbage", "latin1");
    await assert.rejects(mirror(folder, to, from.layout.public), { code: "invalid", message: /keys\/added/ });
    assert.deepEqual(await wrongWith(to), []);
  });

  it("signs its list itself where that is not the source's, and else does not take a signature away", async () => {
    await using folder = await releaseFolder();
    const [from, to, bare] = [
      await signedBy(folder, "from", 1),
      await signedBy(folder, "to", 2),
      await folder.init("bare"),
    ];
    await release(folder, from, "1");
    await release(folder, to, "1", "own");
    await mirror(folder, to, from.layout.public, { trustNewKeys: true });
    assert.deepEqual(await wrongWith(to), []);
    // A branch that the source has not any more is one more than it has signed.
    await mirror(folder, bare, to.layout.public);
    const sig = await readFile(join(bare.layout.archive, "summary.sig"));
    await assert.rejects(mirror(folder, bare, from.layout.public), { code: "failed-precondition", hint: /--remove/ });
    assert.deepEqual(await readFile(join(bare.layout.archive, "summary.sig")), sig);
    await mirror(folder, bare, from.layout.public, { remove: true });
    assert.deepEqual(await wrongWith(bare), []);
  });
});
