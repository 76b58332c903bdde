import assert from "node:assert/strict";
import { chmod, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { decodeDetached, encodeDetached, signaturesIn } from "../ostree/detached.ts";
import { verifyEd25519 } from "../ostree/ed25519.ts";
import { decodeEnvelope, preAuthenticationEncoding } from "./dsse.ts";
import { addKeys } from "./key-files.ts";
import { readPrepared } from "./prepared-files.ts";
import { readKeyDirectory, readKeyFile } from "./public-keys.ts";
import { createRelease, prepareRelease, publishPrepared } from "./publish.ts";
import type { ReleaseRepository } from "./release-repository.ts";
import type { ReleaseWriter } from "./release-writer.ts";
import { type ReleaseFolder, releaseFolder, requestFor } from "./releases.fixture.ts";
import { giveOut, signHere, takeIn } from "./sign-release.ts";
import { publicKeyFile, secretKeyFile, signFile, testKey } from "./signing.fixture.ts";

const once = { dryRun: false, now: 5000 };
const clock = () => 7_000_000;

/** A repository with signers, by the numbers of their keys. */
async function signedBy(folder: ReleaseFolder, settings: Readonly<Record<string, unknown>>, ...numbers: number[]) {
  const files = await Promise.all(numbers.map((each) => secretKeyFile(folder.path, `key-${each}`, each)));
  return folder.init("os", { ...settings, signers: files.map((ed25519) => ({ ed25519 })) });
}

async function trust(repository: ReleaseRepository, folder: ReleaseFolder, ...numbers: number[]): Promise<void> {
  for (const number of numbers) {
    const file = await publicKeyFile(join(folder.path, "known"), `key-${number}`, number);
    await addKeys(repository.layout.keys, await readKeyFile(file));
  }
}

/** The numbers of the keys, of one to five, by which detached metadata has signatures of `bytes`. */
function signersIn(detached: Uint8Array | undefined, bytes: Uint8Array): number[] {
  const signatures = detached === undefined ? [] : signaturesIn(decodeDetached(detached), "ed25519");
  return [1, 2, 3, 4, 5].filter((each) => signatures.some((one) => verifyEd25519(testKey(each), bytes, one)));
}

async function signersOfAll({ archive, repository }: ReleaseWriter): Promise<Record<string, number[]>> {
  const commit = (await archive.ref("main")) ?? "";
  const bytes = (await archive.readMetadata(commit, "commit")) ?? new Uint8Array();
  const summary = await archive.summary();
  const envelope = decodeEnvelope(await readFile(join(repository.layout.release(commit), "provenance.dsse.json")));
  const signed = preAuthenticationEncoding(envelope.payloadType, envelope.payload);
  return {
    commit: signersIn(await archive.readDetached(commit), bytes),
    summary: signersIn(summary?.signature, summary?.bytes ?? new Uint8Array()),
    provenance: [1, 2, 3, 4, 5].filter((each) =>
      envelope.signatures.some(({ sig }) => verifyEd25519(testKey(each), signed, sig)),
    ),
  };
}

const by = (...numbers: number[]) => ({ commit: numbers, summary: numbers, provenance: numbers });

describe("signing", () => {
  it("is by all signers: commit, list of branches and provenance, and their keys are published", async () => {
    await using folder = await releaseFolder();
    const repository = await signedBy(folder, {}, 1, 2);
    await folder.write(repository, async (writer) => {
      await createRelease(writer, requestFor({ a: "1" }), once);
      assert.deepEqual(await signersOfAll(writer), by(1, 2));
    });
    const keys = await readKeyDirectory(repository.layout.keys);
    assert.deepEqual(
      keys.map(({ name }) => name),
      ["key-1", "key-2"],
    );
    const files = ["key-1.ed25519", "key-1.pem", "key-2.ed25519", "key-2.pem"];
    assert.deepEqual((await readdir(repository.layout.keys)).sort(), files);
    const page = await readFile(repository.layout.page, "utf8");
    assert.match(page, /key-1<\/bdi>/);
  });

  it("once more keeps what is there, foreign keys of the metadata too", async () => {
    await using folder = await releaseFolder();
    const repository = await signedBy(folder, {}, 1);
    await folder.write(repository, async (writer) => {
      await createRelease(writer, requestFor({ a: "1" }), once);
      const commit = (await writer.archive.ref("main")) ?? "";
      const before = decodeDetached((await writer.archive.readDetached(commit)) ?? new Uint8Array());
      const change = await writer.archive.begin();
      change.setDetached(commit, encodeDetached([["own", { type: "s", value: "kept" }], ...before]));
      await change.publish();
    });
    const more = { signers: [{ ed25519: await secretKeyFile(folder.path, "key-2", 2) }] };
    await writeFile(repository.layout.settings, `title: os\nsigners:\n  - ed25519: ${more.signers[0]?.ed25519}\n`);
    const { openReleaseRepository } = await import("./release-repository.ts");
    await folder.write(openReleaseRepository(folder.path, "os"), async (writer) => {
      const summary = (await writer.archive.summary())?.bytes;
      for (let i = 0; i < 2; i++) await signHere(writer, "main");
      assert.deepEqual(await signersOfAll(writer), by(1, 2));
      assert.deepEqual((await writer.archive.summary())?.bytes, summary);
      const detached =
        (await writer.archive.readDetached((await writer.archive.ref("main")) ?? "")) ?? new Uint8Array();
      assert.equal(decodeDetached(detached)[0]?.[0], "own");
      assert.equal(signaturesIn(decodeDetached(detached), "ed25519").length, 2);
      assert.match(await readFile(repository.layout.page, "utf8"), /key-1.*key-2/);
      // What is not what it should be is signed by nobody.
      await writeFile(join(repository.layout.archive, "refs/heads/other"), `${await writer.archive.ref("main")}\n`);
      await assert.rejects(signHere(writer, "main"), { code: "corrupt", message: /list of branches does not say/ });
    });
  });

  it("elsewhere: what is given out is signed, taken in, and published as it was", async () => {
    await using folder = await releaseFolder();
    const repository = await folder.init("os", { "required-signatures": ["key-1", "key-2"] });
    await trust(repository, folder, 1, 2);
    await folder.write(repository, async (writer) => {
      const { prepared } = await prepareRelease(writer, requestFor({ a: "1" }), { ...once, keep: true });
      const id = prepared?.id ?? "";
      const publish = async () => publishPrepared(writer, await readPrepared(repository.layout, id));
      const out = join(folder.path, "out");
      const payloads = await giveOut(writer, id, out, clock);
      assert.deepEqual(
        payloads.map(({ what }) => what),
        ["commit", "provenance", "summary"],
      );
      assert.match(await readFile(join(out, "SIGN.txt"), "utf8"), new RegExp(`--import ${id}`));
      const signatures = async (key: number) =>
        Promise.all(payloads.map(async ({ file }) => signFile(join(out, file), await readFile(join(out, file)), key)));

      await assert.rejects(publish(), {
        code: "failed-precondition",
        message: /key-1 and of key-2: nobody has signed/,
        hint: /sign --import [0-9a-f]{16} FILE/,
      });
      await takeIn(writer, id, await signatures(1));
      await assert.rejects(publish(), { message: /needs the signature of key-2: it is signed by key-1$/ });
      const second = await signatures(2);
      const bad = join(out, "bad");
      await writeFile(bad, new Uint8Array(64));
      await assert.rejects(takeIn(writer, id, [...second, bad]), {
        code: "failed-precondition",
        message: /bad does not count/,
      });
      await assert.rejects(takeIn(writer, id, await signatures(3)), {
        message: /not known here/,
      });
      await assert.rejects(publish(), { message: /needs the signature of key-2/ });
      await takeIn(writer, id, second);
      await publish();
      assert.deepEqual(await signersOfAll(writer), by(1, 2));

      // A third, later, of what is published.
      await trust(repository, folder, 3);
      const later = join(folder.path, "later");
      const third: string[] = [];
      for (const { file } of await giveOut(writer, "main", later, clock)) {
        third.push(await signFile(join(later, file), await readFile(join(later, file)), 3));
      }
      await takeIn(writer, "main", third);
      assert.deepEqual(await signersOfAll(writer), by(1, 2, 3));
    });
  });

  it("elsewhere, by several at different times, is of the same bytes, and preparing again loses none of it", async () => {
    await using folder = await releaseFolder();
    const repository = await folder.init("os");
    await trust(repository, folder, 1, 2);
    const request = requestFor({ a: "1" });
    await folder.write(repository, async (writer) => {
      const prepare = async () => (await prepareRelease(writer, request, { ...once, keep: true })).prepared?.id ?? "";
      const id = await prepare();
      const signedLater = async (key: number, seconds: number): Promise<string[]> => {
        const out = join(folder.path, `out-${key}`);
        const payloads = await giveOut(writer, id, out, () => seconds * 1000);
        return Promise.all(payloads.map(async ({ file, bytes }) => signFile(join(out, file), bytes, key)));
      };
      const first = await signedLater(1, 10);
      const second = await signedLater(2, 20);
      await takeIn(writer, id, first);
      assert.equal(await prepare(), id);
      await takeIn(writer, id, second);
      // Making it in one go publishes what was signed.
      await createRelease(writer, request, once);
      assert.deepEqual(await signersOfAll(writer), by(1, 2));
      assert.deepEqual(await readdir(repository.layout.prepared), []);
    });
  });

  it("elsewhere is not enough of the commit alone: the provenance would be by nobody", async () => {
    await using folder = await releaseFolder();
    const repository = await folder.init("os", { "required-signatures": ["key-1"] });
    await trust(repository, folder, 1);
    await folder.write(repository, async (writer) => {
      const { prepared } = await prepareRelease(writer, requestFor({ a: "1" }), { ...once, keep: true });
      const id = prepared?.id ?? "";
      const out = join(folder.path, "out");
      const [commit = "", provenance = "", summary = ""] = await Promise.all(
        (await giveOut(writer, id, out, clock)).map(({ file, bytes }) => signFile(join(out, file), bytes, 1)),
      );
      const publish = async () => publishPrepared(writer, await readPrepared(repository.layout, id));
      await takeIn(writer, id, [commit, summary]);
      await assert.rejects(publish(), { code: "failed-precondition", message: /provenance/ });
      await takeIn(writer, id, [provenance]);
      await publish();
      assert.deepEqual(await signersOfAll(writer), by(1));
    });
  });

  it("a prepared release that was damaged is not published", async () => {
    await using folder = await releaseFolder();
    const repository = await folder.init("os");
    await folder.write(repository, async (writer) => {
      const { prepared } = await prepareRelease(writer, requestFor({ a: "1" }), { ...once, keep: true });
      await rm(join(prepared?.directory ?? "", "manifest.json"));
      await assert.rejects(readPrepared(repository.layout, prepared?.id ?? ""), { code: "corrupt" });
    });
  });

  it("elsewhere is of the list of branches as it will be: where that is another by now, nothing is published", async () => {
    await using folder = await releaseFolder();
    const repository = await folder.init("os");
    await trust(repository, folder, 1);
    await folder.write(repository, async (writer) => {
      const ids: string[] = [];
      const sign = async (id: string): Promise<void> => {
        const out = join(folder.path, id);
        const files: string[] = [];
        for (const { file } of await giveOut(writer, id, out, clock)) {
          files.push(await signFile(join(out, file), await readFile(join(out, file)), 1));
        }
        await takeIn(writer, id, files);
      };
      for (const branch of ["one", "two"]) {
        const request = requestFor({ a: branch }, { branches: [branch] });
        const { prepared } = await prepareRelease(writer, request, { ...once, keep: true });
        ids.push(prepared?.id ?? "");
        await sign(prepared?.id ?? "");
      }
      const publish = async (id = "") => publishPrepared(writer, await readPrepared(repository.layout, id));
      await publish(ids[0]);
      await assert.rejects(publish(ids[1]), { code: "failed-precondition", message: /list of branches as it is/ });
      assert.deepEqual([...(await writer.archive.refs()).keys()], ["one"]);
      await sign(ids[1] ?? "");
      await publish(ids[1]);
      const summary = await writer.archive.summary();
      assert.deepEqual(signersIn(summary?.signature, summary?.bytes ?? new Uint8Array()), [1]);
      // Nobody can publish without a signature what was signed so far.
      await assert.rejects(createRelease(writer, requestFor({ a: "3" }), once), {
        message: /nobody has signed the new/,
      });
    });
  });

  it("needs as many known keys as it is told", async () => {
    await using folder = await releaseFolder();
    const repository = await signedBy(folder, { "required-signatures": 2 }, 1);
    await folder.write(repository, async (writer) => {
      await assert.rejects(createRelease(writer, requestFor({ a: "1" }), once), {
        code: "failed-precondition",
        message: /needs the signatures of 2 known keys: it is signed by key-1/,
        hint: /^make it with `release prepare`/,
      });
      assert.equal(await writer.archive.ref("main"), undefined);
    });
  });

  it("says which names of those whose signatures are needed no key has", async () => {
    await using folder = await releaseFolder();
    const repository = await signedBy(folder, { "required-signatures": ["key-1", "jane"] }, 1);
    await folder.write(repository, async (writer) => {
      await assert.rejects(createRelease(writer, requestFor({ a: "1" }), once), {
        message: /needs the signature of jane: it is signed by key-1/,
        hint: /^no key in keys\/ is called jane: there is key-1; /,
      });
    });
  });

  it("is refused where a secret key is not one, or not a secret", async () => {
    await using folder = await releaseFolder();
    const repository = await signedBy(folder, {}, 1);
    const open = () => folder.write(repository, async () => {});
    const secret = join(folder.path, "key-1.secret");
    await chmod(secret, 0o640);
    await assert.rejects(open(), { code: "failed-precondition", message: /others may read/, hint: /chmod 600/ });
    await chmod(secret, 0o600);
    await writeFile(secret, "x");
    await assert.rejects(open(), { code: "failed-precondition", message: /key-1.secret: line 1/ });
    await rm(secret);
    await assert.rejects(open(), { code: "failed-precondition", message: /ENOENT/ });
  });

  it("does not take another key under the name of one that is there", async () => {
    await using folder = await releaseFolder();
    const repository = await folder.init("os");
    await trust(repository, folder, 1);
    const other = await publicKeyFile(folder.path, "key-1", 2);
    await assert.rejects(
      readKeyFile(other).then((keys) => addKeys(repository.layout.keys, keys)),
      { code: "exists" },
    );
    assert.deepEqual(await addKeys(repository.layout.keys, await readKeyDirectory(repository.layout.keys)), []);
    const pem = await readKeyFile(join(repository.layout.keys, "key-1.pem"));
    assert.deepEqual(pem, await readKeyFile(join(repository.layout.keys, "key-1.ed25519")));
  });
});
