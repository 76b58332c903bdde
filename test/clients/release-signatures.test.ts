import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import { appendFile, cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { secretKeyFile } from "../../src/release/signing.fixture.ts";
import { allFindings } from "../../src/release/verify-report.ts";
import { verifyRepository } from "../../src/release/verify-repository.ts";
import { runOk } from "./support/program.ts";
import { documented, openSigningPlace, type SigningPlace } from "./support/signing-place.ts";

/** The first block of commands of a page, as somebody would copy it. */
function commandsOf(page: string): string {
  const [, text = ""] = /<h2>Pull and verify<\/h2>[\s\S]*?<pre>([\s\S]*?)<\/pre>/.exec(page) ?? [];
  const entities: Record<string, string> = { "&quot;": '"', "&gt;": ">", "&lt;": "<", "&#39;": "'", "&amp;": "&" };
  return text.replace(/&[a-z#0-9]+;/g, (entity) => entities[entity] ?? entity);
}

const hexLine = /^[0-9a-f]{64}\b/gm;

describe("signatures of releases, as documented", () => {
  let place: SigningPlace;
  let published: string;
  const commitOf = async (ref: string): Promise<string> =>
    (await readFile(join(place.repository, "public/repo/refs/heads", ref), "utf8")).trim();

  before(async () => {
    place = await openSigningPlace();
    published = join(place.repository, "public");
    await place.gpgKey("releases@example.org");
    await place.gpgKey("John <john@example.org>");
  });
  after(() => place[Symbol.asyncDispose]());

  test("are made here, and elsewhere by openssl and gpg; four eyes are better than two", async () => {
    const here = await place.ok(await documented("Signing"));
    assert.match(here, /^releases@example.org\tgpg\t[0-9A-F]{40}$/m);
    assert.match(here, /^robot\ted25519\t[0-9a-f]{64}$/m);
    const first = await commitOf("os/stable");
    await appendFile(join(place.repository, "repository.yaml"), "required-signatures: [jane, john@example.org]\n");
    await writeFile(join(place.folder, "tree/usr/bin/tool"), "#!/bin/sh\necho 2\n");
    const lines = await documented("Signing elsewhere");
    const [prepare = "", take = ""] = lines.split(/^(?=stillage release sign --import)/m);
    await place.ok(prepare);
    const id = (await place.ok("stillage release publish")).split("\t")[0] ?? "";
    const early = await place.run(`stillage release publish ${id}`);
    assert.equal(early.status, 1);
    assert.match(
      early.stderr,
      /needs the signature of jane and of john@example.org: it is signed by releases@example.org, robot/,
    );
    assert.equal(await commitOf("os/stable"), first);
    await place.ok(`ID=${id}\n${take}`);
    assert.notEqual(await commitOf("os/stable"), first);
  });

  test("are verified by ostree, gpg, sha256sum and openssl alone, from a plain web server", async () => {
    const out = await place.ok(`{ ${await documented("With ostree and gpg alone")} } 2>&1`);
    const commit = await commitOf("os/stable");
    assert.match(out, /Good signature from "[^"]*releases@example.org>"/);
    assert.match(out, /Signature Verified Successfully/);
    const manifest = /^'([0-9a-f]{64})'$/m.exec(out)?.[1];
    const [sum, ofCommit, ofContent, ...subjects] = out.match(hexLine) ?? [];
    assert.equal(sum, manifest);
    assert.equal(ofCommit, commit);
    assert.deepEqual(subjects, [ofCommit, ofContent]);
  });

  test("are verified by Stillage in a copy, which has nothing else", async () => {
    const out = await place.ok(await documented("With Stillage"));
    assert.match(out, /^2 releases: nothing is wrong/m);
    const report = JSON.parse(await readFile(join(place.folder, "report.json"), "utf8"));
    assert.deepEqual([report.ok, report.keySource, report.releases[0].version], [true, "given", "1"]);
    assert.deepEqual(report.keys.map(({ name }: { name: string }) => name).sort(), [
      ...["jane", "john@example.org", "releases@example.org", "robot"],
    ]);
  });

  test("the page's own commands pull and verify, all its links lead somewhere, and its checksums are right", async () => {
    const page = await readFile(join(published, "index.html"), "utf8");
    const folder = join(place.folder, "stranger");
    await mkdir(folder);
    const out = await runOk("bash", ["-euo", "pipefail", "-s"], { cwd: folder, input: commandsOf(page) });
    assert.match(out, /Good signature from/);
    assert.equal(await readFile(join(folder, "checkout/usr/bin/tool"), "utf8"), "#!/bin/sh\necho 2\n");
    const links = [...page.matchAll(/(?:href|src)="([^"#][^"]*)"/g)].map(([, link = ""]) => link);
    assert.ok(links.length >= 10, `${links.length} links`);
    for (const link of links) {
      const { status } = await fetch(`${place.web.url}/${link}`);
      assert.equal(status, 200, link);
    }
    const sums = [...page.matchAll(/<details>[\s\S]*?<pre>([\s\S]*?)<\/pre>/g)].map(([, text]) => `${text}\n`).join("");
    await runOk("sha256sum", ["--check", "--strict", "--quiet"], { cwd: published, input: sums });
    const list = JSON.parse(await readFile(join(published, "releases.json"), "utf8"));
    assert.deepEqual(
      list.releases.map(({ version, current }: { version: string; current: boolean }) => [version, current]),
      [
        ["2", true],
        ["1", false],
      ],
    );
  });

  test("the real ostree refuses what was changed, and so does release verify", async () => {
    const copy = join(place.folder, "tampered");
    await cp(published, copy, { recursive: true });
    const verify = () => place.run("stillage release verify --repo tampered --keyring signers.gpg --key robot.pem");
    const pull = async (): Promise<string> => {
      await rm(join(place.folder, "pulled"), { recursive: true, force: true });
      const added = "--gpg-import=signers.gpg --set=gpg-verify-summary=true os file://$PWD/tampered/repo";
      const { status, stderr } = await place.run(`ostree init --repo=pulled --mode=bare-user
        ostree remote add --repo=pulled ${added}; ostree pull --repo=pulled os os/stable`);
      return status === 0 ? "" : stderr;
    };
    assert.equal(await pull(), "");
    const commit = await commitOf("os/stable");
    const older = JSON.parse(await readFile(join(copy, "releases.json"), "utf8")).releases[1].commit;
    const meta = (of: string): string => join(copy, `repo/objects/${of.slice(0, 2)}/${of.slice(2)}.commitmeta`);
    const cases: [file: string, change: (bytes: Buffer) => Uint8Array | Promise<Uint8Array>, says: RegExp][] = [
      [join(copy, "repo/summary.sig"), () => readFile(meta(commit)), /summary was changed|not one of repo\/summary/],
      [meta(commit), () => readFile(meta(older)), /commitmeta: the signature of releases@example.org/],
    ];
    for (const [file, change, says] of cases) {
      const whole = await readFile(file);
      await writeFile(file, await change(whole));
      assert.match(await pull(), /BAD signature|GPG/i, file);
      const found = await verify();
      assert.equal(found.status, 1, found.stdout);
      assert.match(found.stdout, says);
      await writeFile(file, whole);
    }
    assert.equal((await verify()).status, 0);
  });

  test("a signature that came later stands beside the first, for ostree too", async () => {
    await place.gpgKey("late@example.org");
    const { folder } = place;
    await writeFile(
      join(folder, "late.sh"),
      "gpg --export late@example.org > late.gpg; stillage release keys add late.gpg",
    );
    const out = await place.ok(`bash late.sh
      stillage release sign --export os/stable later
      for file in commit provenance; do gpg --batch --armor -u late@example.org --detach-sign later/*.$file; done
      gpg --batch -u late@example.org --detach-sign later/summary
      stillage release sign --import os/stable later/*.asc later/summary.sig
      cat signers.gpg late.gpg > all.gpg; ostree init --repo=both --mode=bare-user
      ostree remote add --repo=both --gpg-import=all.gpg --set=gpg-verify-summary=true os "$URL"/repo
      ostree pull --repo=both os os/stable; ostree show --repo=both os:os/stable`);
    assert.match(out, /Found 3 signatures/);
    assert.match(out, /Good signature from "[^"]*late@example.org>"/);
    assert.match(out, /Good signature from "[^"]*releases@example.org>"/);
  });

  test("signing that is killed loses no signature, and signing again ends it", async () => {
    const commit = await commitOf("os/stable");
    const meta = join(published, `repo/objects/${commit.slice(0, 2)}/${commit.slice(2)}.commitmeta`);
    const provenance = join(published, "releases", commit, "provenance.dsse.json");
    const size = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    const settings = join(place.repository, "repository.yaml");
    const before = await readFile(settings, "utf8");
    const moments: [name: string, isNow: (sizes: { meta: number; provenance: number }) => boolean][] = [
      ["key", () => existsSync(join(published, "keys/key.pem"))],
      ["envelope", (sizes) => size(provenance) !== sizes.provenance],
      ["mark", () => existsSync(join(place.repository, "unfinished"))],
      ["meta", (sizes) => size(meta) !== sizes.meta],
    ];
    const names: string[] = [];
    for (const [index, [name, isNow]] of moments.entries()) {
      await secretKeyFile(place.folder, name, 100 + index);
      names.push(name);
      const signers = names.map((each) => `  - ed25519: ${join(place.folder, each)}.secret\n`).join("");
      await writeFile(settings, before.replace("signers:\n", `signers:\n${signers}`));
      const sizes = { meta: size(meta), provenance: size(provenance) };
      await place.killed(["release", "sign", "os/stable"], () => isNow(sizes));
      const asked = { directory: published, keys: undefined, release: "os/stable", all: false, now: Date.now() };
      const failed = allFindings(await verifyRepository(asked)).filter(({ outcome }) => outcome === "failed");
      // The page may be older than the signatures, and nothing else wrong.
      const wrong = failed.filter(({ about }) => about !== "releases.json" && about !== "index.html");
      assert.deepEqual(wrong, [], name);
    }
    const out = await place.ok("stillage release sign os/stable; stillage release verify os/stable --json");
    const report = JSON.parse(out.slice(out.indexOf("{")));
    assert.equal(report.ok, true);
    const all = ["releases@example.org", "john@example.org", "late@example.org", "robot", "jane", ...names];
    for (const file of [".commitmeta", "provenance.dsse.json"]) {
      const { says } = report.releases[0].findings.find(({ about }: { about: string }) => about.endsWith(file));
      for (const name of all) assert.ok(says.includes(name), `${file}: ${says}`);
    }
    await writeFile(settings, before);
  });

  test("signatures by keys that are expired, revoked or unknown do not count", async () => {
    const old = ["--faked-system-time", "20200101T000000"];
    await place.gpgKey("expired@example.org", ...old);
    const expired =
      await place.run(`gpg --export expired@example.org > expired.gpg; stillage release keys add expired.gpg
      gpg --batch ${old.join(" ")} -u expired@example.org -o expired.sig --detach-sign later/summary
      stillage release sign --import os/stable expired.sig`);
    assert.notEqual(expired.status, 0);
    assert.match(expired.stderr, /expired.sig does not count: the key [0-9A-F]{40} is expired/);
    await place.gpgKey("unknown@example.org");
    const unknown = await place.run(`gpg --batch -u unknown@example.org -o unknown.sig --detach-sign later/summary
      stillage release sign --import os/stable unknown.sig`);
    assert.match(unknown.stderr, /the key [0-9A-F]{40} is not known here/);
    // GnuPG makes the revocation with the key, and puts a colon before it.
    const revoked =
      await place.run(`key=$(gpg --with-colons --list-keys late@example.org | awk -F: '$1 == "fpr" { print $10; exit }')
      sed 's/^:-----/-----/' "$GNUPGHOME/openpgp-revocs.d/$key.rev" | gpg --batch --import
      gpg --export late@example.org > late.gpg; stillage release keys add late.gpg
      stillage release verify --keyring late.gpg`);
    assert.equal(revoked.status, 1, revoked.stderr);
    assert.match(revoked.stdout, /FAILED .*commitmeta: the signature of late@example.org \(GPG\) is good, but revoked/);
    // The others are as good as before.
    assert.equal((await place.run("stillage release verify")).status, 0);
  });

  test("a secret key that gpg does not have is said plainly", async () => {
    await place.ok("sed -i 's/releases@example.org/nobody@example.org/' releases/os/repository.yaml");
    const failed = await place.run("stillage release create --tree tree --branch os/stable --version 3");
    assert.equal(failed.status, 1);
    assert.match(failed.stderr, /no secret key "nobody@example.org"/);
  });
});
