import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { digestOf } from "../../src/base/digest.ts";
import { sha256 } from "../../src/base/digest-function.ts";
import { temporaryDirectory } from "../fault/store-blobs.ts";
import { makeAccess } from "./support/access.ts";
import { type Certificates, makeCertificates } from "./support/certificates.ts";
import { startFaultProxy } from "./support/fault-proxy.ts";
import { type Generation, type OldServer, startOldServer } from "./support/old-server.ts";
import { type ServerUnderTest, startServer } from "./support/stillage.ts";
import { contentOf, gathered, gatheredMany, openStorage, randomBlob, remoteAt } from "./support/storage.ts";

const { signal } = new AbortController();
const mebibyte = 1 << 20;

let folder: Awaited<ReturnType<typeof temporaryDirectory>>;
before(async () => {
  folder = await temporaryDirectory();
});
after(() => folder[Symbol.asyncDispose]());

const generations: readonly Generation[] = ["casd", "casd 1.2", "2", "1.9", "1"];

describe("the storage of servers that others wrote", { concurrency: 2 }, () => {
  for (const generation of generations) {
    it(`of ${generation}: blobs of all sizes come and go, through a line that is cut, too`, async (t) => {
      const place = join(folder.path, generation.replace(" ", "-"));
      let server: OldServer;
      try {
        server = await startOldServer(generation, place);
      } catch (error) {
        if (generation !== "1.9" && generation !== "1") throw error;
        return t.skip(`it does not run here: ${(error as Error).message}`);
      }
      await using _ = server;
      await using proxy = await startFaultProxy(server.address);
      using storage = openStorage(remoteAt(`http://${proxy.address}`));
      const { blobs } = storage;
      const small = Array.from({ length: 1500 }, (_each, i) => randomBlob(1 + ((i * 991) % 4000)));
      const middle = randomBlob(1_200_000);
      const large = randomBlob(9 * mebibyte + 1);
      const empty = digestOf(sha256, new Uint8Array(0));
      const all = [...small, middle, large].map(({ digest }) => digest);
      const asked = [...all, ...all.slice(0, 10), empty];

      assert.deepEqual(await blobs.missing(asked, signal), all);
      await blobs.writeMany([...small, middle], signal);
      await blobs.write(large.digest, contentOf(large.bytes), signal);
      await blobs.write(large.digest, contentOf(large.bytes), signal);
      assert.deepEqual(await blobs.missing(asked, signal), []);

      const stranger = randomBlob(700).digest;
      const { found, missing } = await gatheredMany(
        blobs,
        [...small.map(({ digest }) => digest), middle.digest, empty, stranger],
        signal,
      );
      assert.deepEqual(missing, [stranger]);
      assert.equal(found.size, small.length + 2);
      for (const { digest, bytes } of [...small, middle]) assert.ok(found.get(digest.hash)?.equals(bytes));
      assert.ok((await gathered(blobs.read(large.digest, 5_000_001, signal))).equals(large.bytes.subarray(5_000_001)));
      await assert.rejects(gathered(blobs.read(stranger, 0, signal)), { code: "not-found" });

      proxy.cut();
      proxy.plan(() => ({ down: { cutAfter: 4 * mebibyte } }));
      assert.ok((await gathered(blobs.read(large.digest, 0, signal))).equals(large.bytes));
      // Messages of up to 2 MiB are lost where they are cut.
      assert.ok(proxy.passed.connections >= 3 && proxy.passed.down < 16 * mebibyte, JSON.stringify(proxy.passed));
      const again = randomBlob(5 * mebibyte);
      proxy.cut();
      proxy.plan((connection) => (connection === 0 ? { up: { cutAfter: 2 * mebibyte } } : undefined));
      await blobs.write(again.digest, contentOf(again.bytes), signal);
      assert.ok((await gathered(blobs.read(again.digest, 0, signal))).equals(again.bytes));
    });
  }
});

describe("a server behind TLS", () => {
  let certificates: Certificates;
  let server: ServerUnderTest;
  let token: string;
  before(async () => {
    certificates = await makeCertificates(folder.path);
    const { certificate, key } = certificates.server;
    const tls = `cert=${certificate},key=${key},push=true`;
    const listen = [
      "--listen",
      `address=127.0.0.1:0,${tls}`,
      "--listen",
      `address=127.0.0.1:0,${tls},client-certs=${certificates.client.certificate}`,
    ];
    const access = await makeAccess(folder.path, [
      { who: { token: "ci-*" }, may: "push" },
      { who: "anyone", may: "pull" },
    ]);
    token = (await access.token("ci-one")).file;
    server = await startServer(join(folder.path, "tls"), [...listen, "--access", access.file]);
  });
  after(() => server.stop());

  const urlOf = (listener: number): string => `https://${server.listeners[listener]?.address}`;
  const noAuth = remoteAt("").auth;

  it("is trusted by its own certificate, and shown ours, and our token", async () => {
    const trust = { ...noAuth, serverCert: certificates.server.certificate };
    const shown = { ...trust, clientCert: certificates.client.certificate, clientKey: certificates.client.key };
    const blob = randomBlob(1000);
    using anyone = openStorage(remoteAt(urlOf(0), { auth: trust }));
    await assert.rejects(anyone.blobs.writeMany([blob], signal), {
      code: "forbidden",
      message: /^cache: writing small blobs failed/,
      hint: /access-token/,
    });
    using pusher = openStorage(remoteAt(urlOf(0), { auth: { ...trust, accessToken: token } }));
    await pusher.blobs.writeMany([blob], signal);
    using known = openStorage(remoteAt(urlOf(1), { auth: shown }));
    assert.deepEqual(await known.blobs.missing([blob.digest], signal), []);
    assert.ok((known.channel.certificateEnd ?? 0) > Date.now());
  });

  it("says what is wrong with a certificate, or that one is wanted", async () => {
    const { digest } = randomBlob(10);
    using unknown = openStorage(remoteAt(urlOf(0)));
    await assert.rejects(unknown.blobs.missing([digest], signal), {
      code: "unavailable",
      message: /self-signed/,
      hint: /server-cert/,
    });
    const trust = { ...noAuth, serverCert: certificates.server.certificate };
    using stranger = openStorage(
      remoteAt(urlOf(1), {
        auth: { ...trust, clientCert: certificates.stranger.certificate, clientKey: certificates.stranger.key },
      }),
    );
    await assert.rejects(stranger.blobs.missing([digest], signal), (error: Error & { hint?: string }) =>
      /client-cert/.test(error.hint ?? ""),
    );
    using none = openStorage(remoteAt(urlOf(1), { auth: trust }));
    await assert.rejects(none.blobs.missing([digest], signal), (error: Error & { hint?: string }) =>
      /client-cert/.test(error.hint ?? ""),
    );
    using inTheClear = openStorage(remoteAt(urlOf(0).replace("https:", "http:")));
    await assert.rejects(inTheClear.blobs.missing([digest], signal), { code: "unsupported", hint: /https:/ });
  });
});
