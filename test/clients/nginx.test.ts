import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { assertAllPulled, assertQueue } from "./bst2/inspect.ts";
import { makeCertificates } from "./support/certificates.ts";
import { startNginx } from "./support/nginx.ts";
import { runOk } from "./support/program.ts";
import { elementCount } from "./support/project.ts";
import { openSite } from "./support/site.ts";

describe("nginx before the server, as documented", { concurrency: 2 }, () => {
  test("BuildStream pushes and pulls through it", async () => {
    await using site = await openSite("2.8.1");
    const { server: own } = await makeCertificates(await site.workspace.folder("certificates"));
    const server = await site.serve();
    await using nginx = await startNginx(await site.workspace.folder("nginx"), server.address, own);
    const entry = { url: `https://${nginx.address}`, push: true, auth: { "server-cert": own.certificate } };
    const builder = await site.machine("builder", { artifacts: [entry], sources: [entry] });
    assertQueue(await builder.ok(site.project, "build", "all.bst"), "Push", "processed", elementCount);
    const puller = await site.machine("puller", { artifacts: [entry], sources: [entry] });
    assertAllPulled(await puller.ok(site.project, "build", "--deps", "all", "all.bst"));
  });

  test("curl puts and gets blobs, and nginx keeps them", async () => {
    await using site = await openSite("2.8.1");
    const folder = await site.workspace.folder("curl");
    const { server: own } = await makeCertificates(await site.workspace.folder("certificates"));
    const server = await site.serve();
    await using nginx = await startNginx(await site.workspace.folder("nginx"), server.address, own);
    const curl = (...words: string[]) => runOk("curl", ["-sS", "--fail", "--cacert", own.certificate, ...words]);

    const bytes = randomBytes(9_000_000);
    const hash = createHash("sha256").update(bytes).digest("hex");
    const [sent, got] = [join(folder, "sent"), join(folder, "got")];
    await writeFile(sent, bytes);
    const url = `https://${nginx.address}/cas/${hash}`;
    await curl("-T", sent, url);
    const states: string[] = [];
    for (let i = 0; i < 2; i++) {
      const headers = await curl("-o", got, "-D", "-", url);
      states.push(/^x-cache-status: (\w+)/im.exec(headers)?.[1] ?? "none");
      assert.deepEqual(Buffer.compare(await readFile(got), bytes), 0);
    }
    assert.deepEqual(states, ["MISS", "HIT"]);
    await curl("-r", "1000-1999", "-o", got, url);
    assert.deepEqual(await readFile(got), bytes.subarray(1000, 2000));
    // Straight to the server, a download that broke off goes on where it was.
    await writeFile(got, bytes.subarray(0, 4_000_000));
    await curl("-C", "-", "-o", got, `http://${server.address}/cas/${hash}`);
    assert.deepEqual(Buffer.compare(await readFile(got), bytes), 0);
    assert.equal(await curl(`https://${nginx.address}/healthz`), "ok\n");
    await assert.rejects(curl(`https://${nginx.address}/metrics`));
  });
});
