import assert from "node:assert/strict";
import { test } from "node:test";
import { makeAccess } from "../support/access.ts";
import { makeCertificates } from "../support/certificates.ts";
import { elementCount } from "../support/project.ts";
import { openSite } from "../support/site.ts";
import { assertAllPulled, assertQueue } from "./inspect.ts";

/** Access tokens, which BuildStream sends by TLS alone. */
export function testRights(version: string): void {
  test("one port for everybody: a token that may push, one that may pull, one that may nothing, and none", async () => {
    await using site = await openSite(version);
    const { server: own } = await makeCertificates(await site.workspace.folder("certificates"));
    const access = await makeAccess(await site.workspace.folder("access"), [
      { who: { token: "ci" }, may: "push" },
      { who: { token: "reader" }, may: "pull" },
    ]);
    const [ci, reader, nobody] = [await access.token("ci"), await access.token("reader"), await access.token("nobody")];
    const listen = `address=127.0.0.1:0,cert=${own.certificate},key=${own.key}`;
    const server = await site.serve(["--listen", listen, "--access", access.file]);
    const entry = (token: { file: string } | undefined, push: boolean) => ({
      url: `https://${server.address}`,
      push,
      auth: { "server-cert": own.certificate, ...(token && { "access-token": token.file }) },
    });
    const both = (...entries: ReturnType<typeof entry>[]) => ({ artifacts: entries, sources: entries });

    const builder = await site.machine("builder", both(entry(ci, true)));
    assertQueue(await builder.ok(site.project, "build", "all.bst"), "Push", "processed", elementCount);
    const puller = await site.machine("puller", both(entry(reader, false)));
    assertAllPulled(await puller.ok(site.project, "build", "--deps", "all", "all.bst"));

    // Whoever says that he pushes, and may not, loses the entry with `push`; one without it goes on.
    const hopeful = await site.machine("hopeful", both(entry(reader, true), entry(reader, false)));
    const pulled = await hopeful.ok(site.project, "build", "--deps", "all", "all.bst");
    assertAllPulled(pulled);
    assert.match(pulled.stderr, /PERMISSION_DENIED: PushBlob: \d+: token reader may not push/);

    for (const [name, token, why] of [
      ["without a token", undefined, /UNAUTHENTICATED: FetchBlob: \d+: this cache wants to know who asks/],
      ["with a token that has no rights", nobody, /PERMISSION_DENIED: FetchBlob: \d+: token nobody may not pull/],
    ] as const) {
      const machine = await puller.configured(both(entry(token, false)));
      const refused = await machine.run(site.project, "artifact", "pull", "all.bst");
      assert.notEqual(refused.status, 0, name);
      assert.match(refused.stderr, why, name);
    }
  });
}
