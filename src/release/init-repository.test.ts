import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { ArchiveRepository } from "../ostree/archive/archive-repository.ts";
import { decodeDetached, signaturesIn } from "../ostree/detached.ts";
import { verifyEd25519 } from "../ostree/ed25519.ts";
import { decodeSummary } from "../ostree/summary.ts";
import { readKeyDirectory } from "./public-keys.ts";
import { releaseFolder } from "./releases.fixture.ts";
import { readRepositorySettings } from "./repository-settings.ts";
import { secretKeyFile, testKey } from "./signing.fixture.ts";

describe("a new release repository", () => {
  it("has its signers' keys, and a signed list of no branches", async () => {
    await using folder = await releaseFolder();
    const { layout } = await folder.init("os", {
      signers: [{ ed25519: await secretKeyFile(folder.path, "robot", 1) }],
    });
    assert.deepEqual(
      (await readKeyDirectory(layout.keys)).map(({ name }) => name),
      ["robot"],
    );
    const summary = await (await ArchiveRepository.open(layout.archive)).summary();
    assert.ok(summary?.signature);
    assert.deepEqual(decodeSummary(summary.bytes).refs, []);
    const [signature = Buffer.of()] = signaturesIn(decodeDetached(summary.signature), "ed25519");
    assert.ok(verifyEd25519(testKey(1), summary.bytes, signature));
    assert.match(await readFile(layout.page, "utf8"), /robot<\/bdi>/);
  });

  it("is not made where a signer cannot sign, and is once he can", async () => {
    await using folder = await releaseFolder();
    const open = await secretKeyFile(folder.path, "open", 1, 0o644);
    for (const ed25519 of [open, join(folder.path, "absent.secret")]) {
      await assert.rejects(folder.init("os", { signers: [{ ed25519 }] }), { code: "failed-precondition" });
      assert.ok(!existsSync(join(folder.path, "os")));
    }
    await folder.init("os", { signers: [{ ed25519: await secretKeyFile(folder.path, "robot", 1) }] });
  });

  it("names in its file of settings what else could stand there, and all of that could", async () => {
    await using folder = await releaseFolder();
    const { layout } = await folder.init("os", { keep: "last 3" });
    const text = await readFile(layout.settings, "utf8");
    assert.match(text, /^keep: last 3$/m);
    assert.doesNotMatch(text, /^# keep:/m);
    await writeFile(layout.settings, text.replaceAll(/^# (?=[a-z-]+: )/gm, ""));
    const settings = readRepositorySettings(layout.settings);
    assert.ok("title" in settings, JSON.stringify(settings));
    assert.equal(settings.signers.length, 2);
  });
});
