import assert from "node:assert/strict";
import { test } from "node:test";
import { makeAuthority, makeCertificates } from "../support/certificates.ts";
import { openSite } from "../support/site.ts";
import { assertAllPulled, assertQueue } from "./inspect.ts";

const buildAll = ["build", "--deps", "all", "all.bst"];
const push = ["artifact", "push", "data/tree.bst"];

/** Encrypted listeners. */
export function testTls(version: string): void {
  test("a public pull port and a push port for known clients, both with TLS", async () => {
    await using site = await openSite(version);
    const { server: own, client, stranger } = await makeCertificates(await site.workspace.folder("certificates"));
    const tls = `cert=${own.certificate},key=${own.key}`;
    const pullPort = `address=127.0.0.1:0,push=false,${tls}`;
    const pushPort = `address=127.0.0.1:0,push=true,${tls},client-certs=${client.certificate}`;
    const server = await site.serve(["--listen", pullPort, "--listen", pushPort]);
    assert.deepEqual(
      server.listeners.map((listener) => [listener.tls, listener.push]),
      [
        [true, false],
        [true, true],
      ],
    );
    const [pull, pushing] = server.listeners.map((listener) => `https://${listener.address}`);
    assert.ok(pull !== undefined && pushing !== undefined);

    const known = { "server-cert": own.certificate, "client-cert": client.certificate, "client-key": client.key };
    const artifacts = [{ url: pushing, push: true, auth: known }];
    const builder = await site.machine("builder", { artifacts });
    await builder.ok(site.project, "build", "all.bst");
    const anonymous = { "server-cert": own.certificate };
    const reader = await site.machine("reader", { artifacts: [{ url: pull, auth: anonymous }] });
    assertAllPulled(await reader.ok(site.project, ...buildAll));

    const refused = async (name: string, auth: object, why: RegExp) => {
      const machine = await builder.configured({ artifacts: [{ url: pushing, push: true, auth }] });
      const result = await machine.run(site.project, ...push);
      assert.notEqual(result.status, 0, `${name} was let in`);
      assert.match(result.stderr, why, name);
      assert.match(result.stderr, /No artifact caches available for pushing artifacts/, name);
    };
    await refused("without a certificate", anonymous, /UNAVAILABLE/);
    const other = { "server-cert": own.certificate, "client-cert": stranger.certificate, "client-key": stranger.key };
    await refused("with a strange certificate", other, /UNAVAILABLE/);
    await refused(
      "not trusting the server",
      { "server-cert": client.certificate },
      /certificate verify failed|UNAVAILABLE/,
    );
    const plain = await builder.configured({ artifacts: [{ url: pushing.replace("https", "http"), push: true }] });
    assert.notEqual((await plain.run(site.project, ...push)).status, 0, "plain text was let in");
    assertQueue(await builder.ok(site.project, ...push), "Push", "skipped", 1);
  });

  test("certificates of an authority", async () => {
    await using site = await openSite(version);
    const authority = await makeAuthority(await site.workspace.folder("certificates"));
    const { server: own, client } = authority;
    const tls = `cert=${own.certificate},key=${own.key},client-certs=${authority.certificate}`;
    const server = await site.serve(["--listen", `address=127.0.0.1:0,push=true,${tls}`]);
    const url = `https://localhost:${server.address.split(":").at(-1)}`;
    const auth = { "server-cert": authority.certificate, "client-cert": client.certificate, "client-key": client.key };
    const entry = { url, push: true, auth };
    const builder = await site.machine("builder", { artifacts: [entry], sources: [entry] });
    await builder.ok(site.project, "build", "all.bst");
    const puller = await site.machine("puller", { artifacts: [entry], sources: [entry] });
    assertAllPulled(await puller.ok(site.project, ...buildAll));
  });
}
