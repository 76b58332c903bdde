import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { objectPath } from "../../src/ostree/object-name.ts";
import { blocksOf } from "../docs/markdown.ts";
import { programFile } from "../support/program-file.ts";
import { makeAccess } from "./support/access.ts";
import { type Authority, makeAuthority } from "./support/certificates.ts";
import { checkout } from "./support/checkout.ts";
import { startNginx } from "./support/nginx.ts";
import { ostree } from "./support/ostree.ts";
import { fillCache, type MadeCommit, makeCommit } from "./support/ostree-cache.ts";
import { runOk } from "./support/program.ts";
import { type ServerUnderTest, startServer } from "./support/stillage.ts";
import { createWorkspace, type Workspace } from "./support/workspace.ts";

const instances = ["--instance", "", "--instance", "team/a"];

interface Access {
  readonly status: string;
  readonly what: string;
  readonly who: string;
  readonly peer: string;
}

describe("Debian's ostree pulls from the cache", { concurrency: 2 }, () => {
  let workspace: Workspace;
  let store: string;
  let authority: Authority;
  let large: MadeCommit;
  let small: MadeCommit;

  before(async () => {
    workspace = await createWorkspace();
    store = await workspace.folder("store");
    authority = await makeAuthority(await workspace.folder("certificates"));
    large = makeCommit({ directories: 500, filesInEach: 20, fileBytes: 2000 });
    small = makeCommit({ directories: 4, filesInEach: 25, fileBytes: 500 });
    await fillCache(store, { "p/large/1": large, "p/large/2": large, "p/small/1": small });
    await fillCache(store, { "p/small/1": small }, "team/a");
  });
  after(() => workspace[Symbol.asyncDispose]());

  /** A repository of a client, with a remote `cache`. */
  const client = async (url: string, ...settings: string[]): Promise<string> => {
    const folder = await workspace.folder("client");
    await ostree(folder, "init", "--mode=archive");
    const set = ["gpg-verify=false", ...settings].map((each) => `--set=${each}`);
    await ostree(folder, "remote", "add", ...set, "cache", url);
    return folder;
  };

  /** A store with the small commit alone, for servers with settings of their own. */
  const smallStore = async (): Promise<string> => {
    const folder = await workspace.folder("small-store");
    await fillCache(folder, { "p/small/1": small });
    return folder;
  };

  const tls = (more = ""): string => {
    const { certificate, key } = authority.server;
    return `address=127.0.0.1:0,cert=${certificate},key=${key}${more}`;
  };

  const trusting = (...more: string[]): string[] => [`tls-ca-path=${authority.certificate}`, ...more];

  /** Whether the client has all of a commit: what it lists it has verified when it came. */
  const has = async (folder: string, { checksum, objects }: MadeCommit): Promise<void> => {
    const listed = await ostree(folder, "ls", "-R", "-C", checksum);
    const found = new Set(listed.match(/\b[0-9a-f]{64}\b/g));
    const made = [...objects.values()].filter(({ type }) => type !== "commit").map((each) => each.checksum);
    assert.deepEqual([...found].toSorted(), made.toSorted());
    await readFile(join(folder, objectPath(checksum, "commit")));
  };

  describe("of one server", () => {
    let server: ServerUnderTest;
    let accessLog: string;
    let clear: string;
    let secure: string;

    before(async () => {
      accessLog = join(await workspace.folder("log"), "access.log");
      const listen = ["--listen", "127.0.0.1:0", "--listen", tls()];
      server = await startServer(store, [...listen, ...instances, "--access-log", accessLog]);
      clear = `http://${server.listeners[0]?.address}/ostree`;
      secure = `https://${server.listeners[1]?.address}/ostree`;
    });
    after(() => server[Symbol.asyncDispose]());

    const requests = async (): Promise<Access[]> => {
      await new Promise((resolve) => setTimeout(resolve, 0));
      const lines = (await readFile(accessLog, "utf8")).trim().split("\n");
      return lines.map((line) => JSON.parse(line) as Access);
    };

    test("all that there is, as a mirror, by clear HTTP", async () => {
      const folder = await client(clear);
      assert.deepEqual((await ostree(folder, "remote", "refs", "cache")).trim().split("\n"), [
        "cache:p/large/1",
        "cache:p/large/2",
        "cache:p/small/1",
      ]);
      assert.match(
        await ostree(folder, "remote", "summary", "cache"),
        /Repository Mode \(ostree\.summary\.mode\): archive/,
      );
      await ostree(folder, "pull", "--mirror", "cache");
      await has(folder, large);
      await has(folder, small);
      assert.match(await ostree(folder, "fsck"), /no errors found/);
      const refs = await ostree(folder, "refs");
      assert.deepEqual(refs.trim().split("\n").toSorted(), ["p/large/1", "p/large/2", "p/small/1"]);
    });

    test("more than ten thousand objects by HTTP/2", async () => {
      assert.ok(large.objects.size > 10_000);
      const folder = await client(secure, ...trusting());
      await ostree(folder, "pull", "cache", "p/large/1");
      await has(folder, large);
    });

    test("by HTTP/1.1 with TLS", async () => {
      const folder = await client(secure, ...trusting("http2=false"));
      await ostree(folder, "pull", "cache", "p/small/1");
      await has(folder, small);
    });

    test("from another instance, and no more of what has not changed", async () => {
      const folder = await client(`${clear}/team/a`);
      await ostree(folder, "pull", "cache", "p/small/1");
      await ostree(folder, "pull", "cache", "p/small/1");
      await has(folder, small);
      await assert.rejects(ostree(folder, "pull", "cache", "p/large/1"), /No such branch/);
      const url = `${clear}/team/a/summary`;
      const etag = (await fetch(url)).headers.get("etag") ?? "";
      const again = await fetch(url, { headers: { "if-none-match": etag } });
      assert.deepEqual([again.status, await again.text()], [304, ""]);
      const commit = `objects/${small.checksum.slice(0, 2)}/${small.checksum.slice(2)}.commit`;
      let pulls: Access[] = [];
      // The log is written in handfuls.
      while (pulls.length < 1) pulls = (await requests()).filter(({ what }) => what.endsWith(`team/a/${commit}`));
      assert.equal(pulls.length, 1);
    });
  });

  test("by who has a certificate, and nobody else", async () => {
    const server = await startServer(await smallStore(), ["--listen", tls(`,client-certs=${authority.certificate}`)]);
    await using _ = server;
    const url = `https://${server.address}/ostree`;
    const { certificate, key } = authority.client;
    const folder = await client(url, ...trusting(`tls-client-cert-path=${certificate}`, `tls-client-key-path=${key}`));
    await ostree(folder, "pull", "cache", "p/small/1");
    await has(folder, small);
    await assert.rejects(ostree(await client(url, ...trusting()), "pull", "cache", "p/small/1"));
  });

  test("by who has a token, in the URL or a header, and nobody else", async () => {
    const access = await makeAccess(await workspace.folder("access"), [{ who: { token: "reader" }, may: "pull" }]);
    const { text } = await access.token("reader");
    const server = await startServer(await smallStore(), ["--listen", tls(), "--access", access.file]);
    await using _ = server;
    const url = (who: string): string => `https://${who}${server.address}/ostree`;
    const inUrl = await client(url(`any:${text}@`), ...trusting());
    await ostree(inUrl, "pull", "cache", "p/small/1");
    await has(inUrl, small);
    const bare = await client(url(""), ...trusting());
    await assert.rejects(ostree(bare, "pull", "cache", "p/small/1"));
    await ostree(bare, "pull", `--http-header=Authorization=Bearer ${text}`, "cache", "p/small/1");
    await has(bare, small);
  });

  test("from several workers", async () => {
    const server = await startServer(await smallStore(), ["--workers", "2"]);
    await using _ = server;
    for (let i = 0; i < 3; i++) {
      const folder = await client(`http://${server.address}/ostree`);
      await ostree(folder, "pull", "--mirror", "cache");
      await has(folder, small);
    }
  });

  test("what is whole, beside a commit whose largest file rots", async () => {
    const folder = await workspace.folder("rotten-store");
    const rotten = makeCommit({ directories: 4, filesInEach: 25, fileBytes: 500 });
    await fillCache(folder, { "p/rotten/1": rotten, "p/small/1": small });
    const { checksum = "", bytes } = [...rotten.objects.values()].find((each) => each.bytes.length > 3_000_000) ?? {};
    assert.ok(bytes);
    const files = await readdir(folder, { recursive: true });
    const file = files.find((each) => each.includes(checksum));
    assert.ok(file);
    await writeFile(join(folder, file), bytes.with(2_000_000, (bytes[2_000_000] as number) ^ 1));
    await using server = await startServer(folder, ["--scrub-every", "1s", "--scrub-rate", "1GiB"]);
    const url = `http://${server.address}/ostree`;
    const listed = async (): Promise<boolean> => (await (await fetch(`${url}/summary`)).text()).includes("p/rotten/1");
    while (await listed()) await new Promise(setImmediate);
    assert.equal((await fetch(`${url}/${objectPath(rotten.checksum, "commit")}`)).status, 404);
    const mirror = await client(url);
    await ostree(mirror, "pull", "--mirror", "cache");
    assert.equal((await ostree(mirror, "refs")).trim(), "p/small/1");
    await has(mirror, small);
  });

  test("as docs/OSTREE.md shows it", async () => {
    const blocks = blocksOf(await readFile(join(checkout, "docs/OSTREE.md"), "utf8"));
    const starting = (text: string): string => blocks.find((block) => block.text.startsWith(text))?.text ?? "";
    const settings = join(await workspace.folder("etc"), "stillage.yaml");
    await writeFile(settings, starting("# stillage.yaml"));
    await runOk(process.execPath, [programFile("stillage"), "config", "check", "--config", settings], {
      cwd: checkout,
    });
    await using server = await startServer(await smallStore());
    const commands = starting("ostree init").replace("127.0.0.1:11001", server.address);
    const cwd = await workspace.folder("shell");
    const said = await runOk("bash", ["-ec", commands], { cwd });
    assert.match(said, /^cache:p\/small\/1$/m);
    await has(join(cwd, "artifacts"), small);
  });

  test("through nginx, as documented", async () => {
    const server = await startServer(await smallStore());
    await using _ = server;
    await using nginx = await startNginx(await workspace.folder("nginx"), server.address, authority.server);
    for (const http2 of ["true", "false"]) {
      const folder = await client(`https://${nginx.address}/ostree`, ...trusting(`http2=${http2}`));
      await ostree(folder, "pull", "cache", "p/small/1");
      await has(folder, small);
    }
  });
});
