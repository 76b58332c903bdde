import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { assertAllPulled, assertQueue } from "../bst2/inspect.ts";
import { makeAccess } from "../support/access.ts";
import { type KeyPair, makeCertificates } from "../support/certificates.ts";
import { unusedPort } from "../support/port.ts";
import { elementCount } from "../support/project.ts";
import { openSite } from "../support/site.ts";

const buildAll = ["build", "--all", "all.bst"];

/** Where caches are, and who may do what there. */
export function testRemotes(version: string): void {
  test("a public pull port and a push port for known clients, both with TLS", async () => {
    await using site = await openSite(version);
    const { server: own, client, stranger } = await makeCertificates(await site.workspace.folder("certificates"));
    const tls = `cert=${own.certificate},key=${own.key}`;
    const pullPort = `address=127.0.0.1:0,push=false,${tls}`;
    const pushPort = `address=127.0.0.1:0,push=true,${tls},client-certs=${client.certificate}`;
    const server = await site.serve(["--listen", pullPort, "--listen", pushPort]);
    const [pull = "", pushing = ""] = server.listeners.map((listener) => `https://${listener.address}`);

    const known = { "server-cert": own.certificate, "client-cert": client.certificate, "client-key": client.key };
    const builder = await site.machine("builder", { artifacts: [{ url: pushing, push: true, auth: known }] });
    assertQueue(await builder.ok(site.project, "build", "all.bst"), "Push", "processed", elementCount);
    const reader = await site.machine("reader", {
      artifacts: [{ url: pull, auth: { "server-cert": own.certificate } }],
    });
    assertAllPulled(await reader.ok(site.project, ...buildAll));

    for (const auth of [
      { "server-cert": own.certificate },
      { "server-cert": own.certificate, "client-cert": stranger.certificate, "client-key": stranger.key },
    ]) {
      const machine = await builder.configured({ artifacts: [{ url: pushing, push: true, auth }] });
      const result = await machine.run(site.project, "push", "data/tree.bst");
      assert.notEqual(result.status, 0, "a stranger was let in");
    }
  });

  test("who may only read pulls everything, and a push is refused with a reason", async () => {
    await using site = await openSite(version);
    const listen = ["--listen", "address=127.0.0.1:0,push=true", "--listen", "address=127.0.0.1:0,push=false"];
    const server = await site.serve(listen);
    const [pushing = "", pulling = ""] = server.listeners.map(({ address }) => `http://${address}`);
    const builder = await site.machine("builder", { artifacts: [{ url: pushing, push: true }] });
    await builder.ok(site.project, "build", "all.bst");
    const reader = await site.machine("reader", { artifacts: [{ url: pulling }] });
    assertAllPulled(await reader.ok(site.project, ...buildAll));

    const pusher = await builder.configured({ artifacts: [{ url: pulling, push: true }] });
    const refused = await pusher.run(site.project, "push", "app.bst");
    assert.notEqual(refused.status, 0);
    assert.match(refused.stderr, /does not allow push/);
  });

  test("one port for all: who has no certificate, or one that may pull, pulls; who has one that may push, pushes", async () => {
    await using site = await openSite(version);
    const { server: own, client, stranger } = await makeCertificates(await site.workspace.folder("certificates"));
    const { fingerprint256 } = new X509Certificate(await readFile(client.certificate));
    const access = await makeAccess(await site.workspace.folder("access"), [
      { who: "anyone", may: "pull" },
      { who: { fingerprint: fingerprint256 }, may: "push" },
    ]);
    const known = join(site.workspace.path, "known.crt");
    await writeFile(known, `${await readFile(client.certificate)}${await readFile(stranger.certificate)}`);
    const tls = `cert=${own.certificate},key=${own.key},client-certs=${known},client-auth=optional`;
    const server = await site.serve(["--listen", `address=127.0.0.1:0,${tls}`, "--access", access.file]);
    const entry = (pair: KeyPair | undefined, push: boolean) => {
      const trust = { "server-cert": own.certificate };
      const auth = pair === undefined ? trust : { ...trust, "client-cert": pair.certificate, "client-key": pair.key };
      return { url: `https://${server.address}`, push, auth };
    };
    const builder = await site.machine("builder", { artifacts: [entry(client, true)] });
    assertQueue(await builder.ok(site.project, "build", "app.bst"), "Push", "failed", 0);
    for (const pair of [undefined, stranger]) {
      const reader = await site.machine("reader", { artifacts: [entry(pair, false)] });
      const pulled = await reader.ok(site.project, "build", "app.bst");
      assertQueue(pulled, "Build", "processed", 0);
      const hopeful = await reader.configured({ artifacts: [entry(pair, true)] });
      const refused = await hopeful.run(site.project, "push", "app.bst");
      assert.match(refused.stderr, /does not allow push/);
    }
  });

  test("several remotes are asked in order, and one that is dead costs a warning", async () => {
    await using site = await openSite(version);
    const [first, second] = [await site.serve(), await site.serve()];
    const url = (server: { address: string }) => `http://${server.address}`;
    const dead = `http://127.0.0.1:${await unusedPort()}`;
    const one = await site.machine("one", { artifacts: [{ url: url(first), push: true }] });
    await one.ok(site.project, "build", "app.bst");
    const two = await one.configured({
      artifacts: [
        { url: dead, push: true },
        { url: url(second), push: true },
      ],
    });
    const pushed = await two.ok(site.project, "build", "all.bst");
    assert.match(pushed.stderr, /Failed to initialize remote/);
    assertQueue(pushed, "Push", "failed", 0);

    const artifacts = [{ url: dead }, { url: url(first) }, { url: url(second) }];
    const puller = await site.machine("puller", { artifacts });
    const pulled = await puller.ok(site.project, ...buildAll);
    assertAllPulled(pulled);
    assert.match(pulled.stderr, new RegExp(`<- ${url(first)}`));
    assert.match(pulled.stderr, new RegExp(`<- ${url(second)}`));
  });
}
