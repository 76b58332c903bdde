import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, chownSync, copyFileSync, existsSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { Fsck } from "../../src/check/fsck.ts";
import { run } from "../cli/support/programs.ts";
import { startServer } from "../clients/support/stillage.ts";
import { newUri } from "../conformance/support/assets.ts";
import { missing, newBlob, type TestBlob, upload } from "../conformance/support/blobs.ts";
import { readAll, readName, writeBlob } from "../conformance/support/byte-stream.ts";
import { type Endpoint, openEndpoint } from "../conformance/support/endpoint.ts";
import { programFile } from "../support/program-file.ts";
import { filesIn, wrongIn } from "./damaged-store.ts";
import { temporaryDirectory } from "./store-blobs.ts";

const execute = promisify(execFile);

interface Pushed {
  readonly uri: string;
  readonly blobs: readonly TestBlob[];
}

/** Some small blobs, a large one, and an asset that needs them. */
async function pushSome(endpoint: Endpoint): Promise<Pushed> {
  const blobs = [...Array.from({ length: 10 }, (_, i) => newBlob(500 + i * 1000)), newBlob(1_300_000)];
  const [uri, large] = [newUri(), blobs[10] as TestBlob];
  await upload(endpoint, "", blobs.slice(0, 10));
  await writeBlob(endpoint, "", large);
  const referencesBlobs = blobs.slice(0, 10).map(({ digest }) => digest);
  await endpoint.push.pushBlob({ uris: [uri], blobDigest: large.digest, referencesBlobs });
  return { uri, blobs };
}

/** All of it is served, and is what was pushed. */
async function expectAll(endpoint: Endpoint, all: readonly Pushed[]): Promise<void> {
  for (const { uri, blobs } of all) {
    assert.equal((await endpoint.fetch.fetchBlob({ uris: [uri] })).blobDigest?.hash, blobs.at(-1)?.digest.hash);
    assert.deepEqual(
      await missing(
        endpoint,
        "",
        blobs.map(({ digest }) => digest),
      ),
      [],
    );
    await expectTrue(endpoint, blobs);
  }
}

/** What is served of these is what was pushed. */
async function expectTrue(endpoint: Endpoint, blobs: readonly TestBlob[]): Promise<number> {
  const gone = new Set(
    await missing(
      endpoint,
      "",
      blobs.map(({ digest }) => digest),
    ),
  );
  const there = blobs.filter(({ digest }) => !gone.has(`${digest.hash}/${digest.sizeBytes}`));
  for (const { digest, data } of there) {
    assert.ok(Buffer.from(await readAll(endpoint, { resourceName: readName("", digest) })).equals(data));
  }
  return there.length;
}

async function withServer<T>(directory: string, work: (endpoint: Endpoint, pid: number) => Promise<T>): Promise<T> {
  await using server = await startServer(directory);
  const endpoint = openEndpoint(`grpc://${server.address}`);
  try {
    return await work(endpoint, server.pid);
  } finally {
    endpoint.channel.destroy();
  }
}

const check = (directory: string, repair = false) => new Fsck({ directory, repair, clock: Date.now }).run();

/** Gives processes that begin from now on a clock that is years ahead, and goes on by twenty more at a signal. */
function shiftClock(years: number): Disposable {
  const year = 365 * 24 * 3_600_000;
  const code = `const real = Date.now; let ahead = ${years * year};
    Date.now = () => real() + ahead; process.on("SIGUSR2", () => { ahead += ${20 * year}; });`;
  process.env.NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(code)}`;
  return {
    [Symbol.dispose]() {
      delete process.env.NODE_OPTIONS;
    },
  };
}

describe("a server whose clock jumps", () => {
  it("by years, either way, between runs and during them, loses nothing and serves nothing wrong", async () => {
    await using directory = await temporaryDirectory();
    const all: Pushed[] = [];
    for (const years of [10, -10, 0]) {
      using _clock = shiftClock(years);
      await withServer(directory.path, async (endpoint, pid) => {
        await expectAll(endpoint, all);
        all.push(await pushSome(endpoint));
        process.kill(pid, "SIGUSR2");
        await expectAll(endpoint, all);
        all.push(await pushSome(endpoint));
        await expectAll(endpoint, all);
      });
    }
    const checked = await check(directory.path);
    assert.equal(checked.findings.counts.size, 0, wrongIn(checked));
  });
});

describe("a store that a server has open", () => {
  it("is refused to a second server and to a check, with one sentence each", async () => {
    await using directory = await temporaryDirectory();
    await withServer(directory.path, async () => {
      for (const args of [
        ["serve", directory.path, "--listen", "127.0.0.1:0"],
        ["store", "fsck", "--store", directory.path],
        ["store", "fsck", "--store", directory.path, "--repair"],
      ]) {
        const { status, stdout, stderr } = await run("stillage", args, { cwd: directory.path });
        assert.deepEqual([status, stdout], [1, ""]);
        assert.match(stderr, /^stillage: another process is using the store in [^\n]*\n$/);
      }
    });
  });

  it("can be copied: what was acknowledged before is in the copy, and nothing in it is wrong", async () => {
    await using directory = await temporaryDirectory();
    const [store, still, busy] = ["store", "still", "busy"].map((name) => join(directory.path, name)) as [
      string,
      string,
      string,
    ];
    const before: Pushed[] = [];
    const during: Pushed[] = [];
    await withServer(store, async (endpoint) => {
      before.push(await pushSome(endpoint), await pushSome(endpoint));
      await execute("cp", ["-a", store, still]);
      let copying = true;
      const pushing = (async () => {
        while (copying) during.push(await pushSome(endpoint));
      })();
      await execute("cp", ["-a", store, busy]);
      copying = false;
      await pushing;
    });
    const quiet = await check(still);
    assert.equal(quiet.findings.wrong, 0, wrongIn(quiet));
    await withServer(still, (endpoint) => expectAll(endpoint, before));
    // Of what was pushed meanwhile a part may be there; the names of the rest are not served.
    const repaired = await check(busy, true);
    assert.equal(repaired.findings.unrepaired, 0, wrongIn(repaired));
    const again = await check(busy);
    assert.equal(again.findings.wrong, 0, wrongIn(again));
    await withServer(busy, async (endpoint) => {
      await expectAll(endpoint, before);
      for (const { blobs } of during) await expectTrue(endpoint, blobs);
    });
  });
});

describe("a store with files of another owner", () => {
  it("is refused with one sentence, and a check says which file it is", async (t) => {
    const nobody = 65534;
    if (process.getuid?.() !== 0) return t.skip("only root can give files away");
    const as = { uid: nobody, gid: nobody, cwd: "/" };
    const program = programFile("stillage");
    const runs = await execute(process.execPath, [program, "version"], as).then(
      () => true,
      () => false,
    );
    if (!runs) return t.skip("the checkout cannot be read by others");
    await using directory = await temporaryDirectory();
    await withServer(directory.path, pushSome);
    await execute("chown", ["-R", String(nobody), directory.path]);
    const pack = join(directory.path, "tenants/@/sha256/packs/00000001.pack");
    chownSync(pack, 0, 0);
    chmodSync(pack, 0o600);
    for (const [args, said] of [
      [["serve", directory.path, "--listen", "127.0.0.1:0"], /^stillage: [^\n]*EACCES[^\n]*00000001\.pack[^\n]*\n$/],
      [
        ["store", "fsck", "--store", directory.path],
        /wrong: unreadable, \d:[^\n]*\n {2}tenants\/@\/sha256\/packs\/00000001\.pack: [^\n]*EACCES/,
      ],
    ] as const) {
      const outcome = await execute(process.execPath, [program, ...args], { ...as, timeout: 30_000 }).catch(
        (error) => error,
      );
      assert.equal(outcome.code, 1);
      assert.match(outcome.stderr + outcome.stdout, said);
    }
  });
});

describe("a store whose stamp is damaged", () => {
  it("is refused with one sentence, and a check writes the stamp anew", async () => {
    await using directory = await temporaryDirectory();
    const pushed = await withServer(directory.path, pushSome);
    writeFileSync(join(directory.path, "format"), "stillage-store 0\n");
    const { status, stderr } = await run("stillage", ["serve", directory.path], { cwd: directory.path });
    assert.equal(status, 1);
    assert.match(stderr, /^stillage: [^\n]+\n$/);
    for (const stamp of ["stillage-store 0\n", "stillagf-store 1\n", "stillage-store 1", ""]) {
      writeFileSync(join(directory.path, "format"), stamp);
      const repaired = await check(directory.path, true);
      assert.equal(repaired.findings.unrepaired, 0);
    }
    writeFileSync(join(directory.path, "format"), "stillage-store 7\n");
    assert.equal((await check(directory.path, true)).findings.unrepaired, 1, "a later version's store was changed");
    writeFileSync(join(directory.path, "format"), "stillage-store 1\n");
    await withServer(directory.path, (endpoint) => expectAll(endpoint, [pushed]));
  });
});

describe("a repair that is killed", () => {
  it("at any moment leaves a store that the next one mends", async () => {
    await using directory = await temporaryDirectory();
    const pushed = await withServer(directory.path, pushSome);
    const packs = join(directory.path, "tenants/@/sha256/packs");
    const pack = filesIn(directory.path).find((name) => name.endsWith(".pack")) ?? "";
    for (const rotten of [1000, 5000]) {
      const bytes = Buffer.from([0xff, 0xff, 0xff, 0xff]);
      const handle = await open(join(directory.path, pack), "r+");
      await handle.write(bytes, 0, 4, rotten);
      await handle.close();
      const child = execFile(process.execPath, [
        programFile("stillage"),
        "store",
        "fsck",
        "--repair",
        "--store",
        directory.path,
      ]);
      const ended = new Promise((resolve) => child.once("exit", resolve));
      // Killed as soon as it has begun to change something, wherever it is then.
      const poll = setInterval(() => existsSync(join(directory.path, "quarantine")) && child.kill("SIGKILL"), 1);
      await ended;
      clearInterval(poll);
      copyFileSync(join(packs, "00000001.idx"), join(packs, "00000001.idx.new"));
      const repaired = await check(directory.path, true);
      assert.equal(repaired.findings.unrepaired, 0, wrongIn(repaired));
      const again = await check(directory.path);
      assert.equal(again.findings.wrong, 0, wrongIn(again));
    }
    await withServer(directory.path, async (endpoint) => {
      const there = await expectTrue(endpoint, pushed.blobs);
      assert.ok(there >= pushed.blobs.length - 3, `${there} blobs are left`);
    });
  });
});
