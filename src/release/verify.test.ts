import assert from "node:assert/strict";
import { cp, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type ObjectType, objectPath } from "../ostree/object-name.ts";
import type { Attachment } from "./attachment.ts";
import { type PublicKey, readKeyDirectory, readKeyFile } from "./public-keys.ts";
import { createRelease } from "./publish.ts";
import { type ReleaseFolder, releaseFolder, requestFor } from "./releases.fixture.ts";
import { publicKeyFile, secretKeyFile } from "./signing.fixture.ts";
import { allFindings, type VerifyReport } from "./verify-report.ts";
import { type VerifyOptions, verifyRepository } from "./verify-repository.ts";

const once = { dryRun: false, now: 5000 };
const attachment: Attachment = {
  name: "x.txt",
  kind: "file",
  mediaType: "text/plain",
  sha256: "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
  size: 1,
  bytes: Buffer.from("x"),
};

describe("verifying a copy of a repository", () => {
  let folder: ReleaseFolder;
  let copy: string;
  let keys: readonly PublicKey[];
  /** Commit, root and a file of the newest release. */
  const names = {} as Record<ObjectType, string>;

  before(async () => {
    folder = await releaseFolder();
    const signers = [{ ed25519: await secretKeyFile(folder.path, "robot", 1) }];
    const repository = await folder.init("os", { signers, title: "The OS" });
    await folder.write(repository, async (writer) => {
      const request = (version: string) =>
        requestFor({ usr: { "tool.sh": version } }, { version, attachments: [attachment] });
      await createRelease(writer, request("1"), once);
      await createRelease(writer, request("2"), once);
      names.commit = (await writer.archive.ref("main")) ?? "";
      const commit = await writer.archive.commit(names.commit);
      const root = await writer.archive.dirTree(commit?.tree ?? "");
      names.dirtree = root?.directories[0]?.tree ?? "";
      names.dirmeta = root?.directories[0]?.meta ?? "";
      names.file = (await writer.archive.dirTree(names.dirtree))?.files[0]?.checksum ?? "";
    });
    copy = join(folder.path, "copy");
    await rename(repository.layout.public, copy);
    await rm(repository.layout.directory, { recursive: true });
    keys = await readKeyDirectory(join(copy, "keys"));
  });
  after(() => folder[Symbol.asyncDispose]());

  const verify = (options: Partial<VerifyOptions> = {}): Promise<VerifyReport> =>
    verifyRepository({ directory: copy, keys, release: undefined, all: true, now: 10_000_000, ...options });
  const failed = (report: VerifyReport): string[] =>
    allFindings(report).flatMap(({ outcome, about, says }) => (outcome === "failed" ? [`${about}: ${says}`] : []));
  const pathOf = (type: ObjectType): string => `repo/${objectPath(names[type], type)}`;

  it("finds nothing wrong with one that is whole, and says what it could not verify", async () => {
    const report = await verify();
    assert.deepEqual(failed(report), []);
    assert.deepEqual(
      report.releases.map(({ branch, version }) => `${branch} ${version}`),
      ["main 2", "main 1"],
    );
    assert.equal(report.keySource, "given");
    const own = await verify({ keys: undefined });
    assert.deepEqual([failed(own), own.keySource], [[], "repository"]);
    const unchecked = allFindings(own).filter(({ outcome }) => outcome === "unchecked");
    assert.match(unchecked[0]?.says ?? "", /only another place can tell/);
    assert.equal((await verify({ all: false })).releases.length, 1);
    assert.equal((await verify({ all: false, release: "main@1" })).releases[0]?.version, "1");
    // The repository of OSTree alone, as `ostree pull --mirror` or rsync may have taken it.
    const bare = join(folder.path, "bare");
    await cp(join(copy, "repo"), bare, { recursive: true });
    const alone = failed(await verify({ directory: bare }));
    assert.deepEqual(
      alone.filter((each) => !each.startsWith("releases/")),
      [],
    );
  });

  it("names what was changed in one byte, whichever file that is, and what was taken away", async () => {
    const release = (name: string): string => `releases/${names.commit}/${name}`;
    const kinds = {
      config: "repo/config",
      summary: "repo/summary",
      "summary.sig": "repo/summary.sig",
      ref: "repo/refs/heads/main",
      ...{ commit: pathOf("commit"), commitmeta: `${pathOf("commit")}meta` },
      ...{ dirtree: pathOf("dirtree"), dirmeta: pathOf("dirmeta"), file: pathOf("file") },
      ...{ manifest: release("manifest.json"), yaml: release("manifest.yaml") },
      ...{ provenance: release("provenance.dsse.json"), attachment: release("x.txt") },
      ...{ list: "releases.json", page: "index.html" },
      ...{ key: "keys/robot.ed25519", pem: "keys/robot.pem" },
    };
    // What may be missing: a list or a page is for convenience.
    const dispensable = new Set(["releases.json", "index.html"]);
    // A second form of a key is missed by the list that has it.
    const named = (path: string): string => (path === kinds.pem ? "releases.json" : path);
    for (const path of Object.values(kinds)) {
      const whole = await readFile(join(copy, path));
      const bytes = Buffer.from(whole);
      const at = Math.floor(bytes.length / 2);
      bytes[at] = (bytes[at] as number) ^ 1;
      await writeFile(join(copy, path), bytes);
      // A key counts where it is the one to verify with.
      const source = path.startsWith("keys/") ? undefined : keys;
      const found = failed(await verify({ keys: source }));
      const expected =
        path === kinds.key ? /^(?:keys|repo\/summary.sig): / : new RegExp(`^${path}: |or ${path} was changed$`);
      assert.ok(
        found.some((each) => expected.test(each)),
        `${path} changed: ${found.join("\n") || "nothing is wrong"}`,
      );
      await rm(join(copy, path));
      const without = failed(await verify({ keys: path === kinds.key ? undefined : keys }));
      if (dispensable.has(path)) assert.deepEqual(without, [], path);
      else if (path !== kinds.key) {
        const missing = without.some((each) => each.startsWith(`${named(path)}: `));
        assert.ok(missing, `${path} missing: ${without.join("\n") || "nothing is wrong"}`);
      }
      await writeFile(join(copy, path), whole);
    }
    assert.deepEqual(failed(await verify()), []);
  });

  it("names what nobody signed, and what is by nobody who is known", async () => {
    const extra = join(copy, "releases", names.commit, "more.txt");
    await writeFile(extra, "more");
    assert.match(failed(await verify()).join(), /more.txt: nothing that is signed names this file/);
    await rm(extra);
    const other = await readKeyFile(await publicKeyFile(folder.path, "other", 2));
    const wrong = failed(await verify({ keys: other, all: false }));
    assert.equal(wrong.filter((each) => /by a key that is not known, or/.test(each)).length, 3);
    // Another signer's key beside it does no harm.
    assert.deepEqual(failed(await verify({ keys: [...other, ...keys] })), []);
  });

  it("names what is no part of a repository, wherever it lies, and keys that are none of those given", async () => {
    const stray = ["releases/stray", "releases/latest/install.sh", "keys/README.html", "repo/index.html"];
    for (const path of [...stray, "repo/objects/x.sh", "repo/objects/aa/x"]) {
      await mkdir(dirname(join(copy, path)), { recursive: true });
      await writeFile(join(copy, path), "x");
      const [first, ...others] = failed(await verify({ all: false }));
      const [about = ""] = first?.split(": ") ?? [];
      assert.ok(about !== "" && path.startsWith(about), `${path}: ${first}`);
      assert.deepEqual(others, []);
      await rm(join(copy, about), { recursive: true });
    }
    const attacker = await publicKeyFile(join(copy, "keys"), "aaa", 3);
    const told = allFindings(await verify({ all: false })).filter(({ about }) => about === "keys/aaa");
    assert.match(told[0]?.says ?? "", /none of those given, and the page tells others/);
    await rm(attacker);
    assert.deepEqual(failed(await verify()), []);
  });

  it("names a commit that is passed off as one of another branch", async () => {
    const ref = join(copy, "repo/refs/heads/stable");
    await writeFile(ref, `${names.commit}\n`);
    const found = failed(await verify({ all: false })).join("\n");
    assert.match(found, /refs\/heads\/stable: the list of branches does not have it/);
    assert.match(found, /it is for main, and not for stable/);
    await rm(ref);
  });

  it("takes no directory for a repository that is none", async () => {
    await assert.rejects(verify({ directory: folder.path }), { code: "not-found" });
    await assert.rejects(verify({ release: "3" }), { code: "not-found" });
  });
});
