import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { chmod, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { contentOfCommit } from "../../src/artifact/directory-content.ts";
import { dirtrees } from "../../src/artifact/tree-format.ts";
import { listTree } from "../../src/artifact/tree-listing.ts";
import type { Digest } from "../../src/base/digest.ts";
import type { ArtifactIndex, IndexedArtifact } from "../../src/client/artifact-index.ts";
import { openCommitCache } from "../../src/client/ostree/commit-cache.ts";
import { copyCommit } from "../../src/client/ostree/copy-commit.ts";
import { Receiver } from "../../src/client/ostree/receiver.ts";
import type { Place } from "../../src/client/place.ts";
import { parseSshUrl } from "../../src/ssh/push-destination.ts";
import { SshConnection } from "../../src/ssh/ssh-connection.ts";
import { programFile } from "../support/program-file.ts";
import { openPushSite, type PushSite, receiver } from "./push/push-site.ts";
import { Repository } from "./push/repository.ts";
import { testBuildStream10 } from "./remotes/buildstream10.ts";
import { commitArtifact, found, keys, openRemote, unending } from "./remotes/ostree-artifacts.ts";
import { serveFiles, type WebFiles } from "./remotes/web-files.ts";
import { makeAccess } from "./support/access.ts";
import { makeCertificates } from "./support/certificates.ts";
import { checkout } from "./support/checkout.ts";
import { startOldServer } from "./support/old-server.ts";
import { contentOf } from "./support/ostree.ts";
import { OstreeRepository } from "./support/ostree-repository.ts";
import { runOk, runProgram } from "./support/program.ts";
import { startServer } from "./support/stillage.ts";
import { createWorkspace, type Workspace } from "./support/workspace.ts";

const signal = unending;

describe("caches of BuildStream 1.0", { concurrency: 2 }, () => {
  let workspace: Workspace;
  let repository: Repository;
  let web: WebFiles;
  let commit: string;
  let site: PushSite;

  before(async () => {
    workspace = await createWorkspace();
    site = await openSsh(await workspace.folder("access"));
    repository = await Repository.create(workspace);
    commit = await commitArtifact(workspace, repository, "app", { files: 300, large: 3_000_000 });
    await commitArtifact(workspace, repository, "lib");
    await repository.run("summary", "--update");
    web = await serveFiles(repository.path);
  });

  after(async () => {
    web.server.close();
    await site[Symbol.asyncDispose]();
    await workspace[Symbol.asyncDispose]();
  });

  /** A cache on this machine, as a place. */
  async function cache(): Promise<Place & { readonly index: ArtifactIndex; readonly path: string }> {
    const path = join(await workspace.folder("cache"), "stillage/ostree");
    const { index, commits } = openCommitCache(path);
    const place = { name: "local", index, blobs: undefined, commits, writable: true, path };
    return { ...place, [Symbol.asyncDispose]: async () => {} };
  }

  test("a repository of Debian's ostree behind a web server is listed, looked at and pulled, and pushed to a path", async () => {
    await using place = await openRemote(web.url, { push: false });
    const listed: IndexedArtifact[] = [];
    for await (const each of place.index.list([{ project: "d?mo", element: "*", key: "1" }], signal)) listed.push(each);
    assert.deepEqual(
      listed.map(({ project, element, keys: all }) => [project, element, all]),
      [
        ["demo", "app", keys],
        ["demo", "lib", keys],
      ],
    );
    // By the weak key, and still the strong one first, as the commit says.
    const app = await found(place, "app", "3".repeat(64), keys[1]);
    assert.deepEqual([app.keys, app.content.hash, app.generation], [keys, commit, "1.0"]);
    assert.equal(
      await place.index.find({ project: "demo", element: "app", keys: ["3".repeat(64)] }, signal),
      undefined,
    );

    const { blobs } = place.commits;
    const content = await contentOfCommit(blobs, app.content);
    assert.deepEqual([content.keys.strong, content.problems, content.logs.length], [keys[0], [], 1]);
    const page = await listTree(
      blobs,
      content.trees.files as NonNullable<typeof content.trees.files>,
      { path: "", recursive: true, limit: 1000, cursor: undefined },
      dirtrees,
    );
    assert.equal(page.items.length, 303);
    assert.deepEqual(
      page.items
        .filter(({ path }) => ["bin/run", "link"].includes(path))
        .map(({ size, executable, target }) => [size, executable, target]),
      [
        [3_000_000, true, undefined],
        [undefined, undefined, "bin/run"],
      ],
    );

    await using local = await cache();
    assert.equal(await local.index.find({ project: "demo", element: "app", keys }, signal), undefined);
    assert.deepEqual(await readdir(join(local.path, "../..")), [], "looking makes nothing");
    let [objects, bytes] = [0, 0];
    const onProgress = (some: number, more: number): void => {
      objects += some;
      bytes += more;
    };
    assert.equal(await copyCommit(app, place, local, { signal, onProgress }), "published");
    assert.ok(objects > 300 && bytes > 3_000_000);
    assert.equal(await copyCommit(app, place, local, { signal }), "present");
    await runProgram("ostree", ["fsck", `--repo=${local.path}`]).then(({ status }) => assert.equal(status, 0));
    assert.deepEqual(
      (await local.index.find({ project: "demo", element: "app", keys: [keys[1]] }, signal))?.keys,
      keys,
    );

    const target = await Repository.create(workspace, "target");
    {
      await using by = await openRemote(`file://${target.path}`);
      assert.equal(await copyCommit(app, local, by, { signal }), "published");
    }
    assert.deepEqual(await target.head(`demo/app/${keys[1]}`), commit);
    await target.run("fsck", "--quiet");
    assert.match(await target.run("summary", "--view"), /demo\/app\/1{64}/);
  });

  test("a repository of mode bare-user, as BuildStream 1.0's own cache is, is read and copied as it is", async () => {
    const tree = await workspace.folder("odd");
    for (const mode of [0o644, 0o755, 0o600, 0o666, 0o777, 0o4755, 0o440, 0o1]) {
      await writeFile(join(tree, mode.toString(8)), `mode ${mode}`);
      await chmod(join(tree, mode.toString(8)), mode);
    }
    await writeFile(join(tree, "empty"), "");
    await writeFile(join(tree, "large"), Buffer.alloc(1_000_000, "large "), { mode: 0o700 });
    await symlink("../large", join(tree, "link"));
    const bare = OstreeRepository.at(await workspace.folder("bare"));
    await bare.ok("init", "--mode=bare-user");
    const owner = ["--owner-uid=0", "--owner-gid=0", "--no-xattrs", "--no-bindings"];
    const ref = `demo/odd/${keys[0]}`;
    const odd = await bare.ok("commit", ...owner, `--branch=${ref}`, "--subject=", `--tree=dir=${tree}`);
    await using place = await openRemote(bare.path);
    assert.deepEqual([place.writable, place.notWritable?.code], [false, "unsupported"]);
    const target = await Repository.create(workspace, "archive");
    {
      await using to = await openRemote(target.path);
      assert.equal(await copyCommit(await found(place, "odd", keys[0]), place, to, { signal }), "published");
    }
    assert.equal(await target.head(ref), odd);
    await target.run("fsck", "--quiet");
    // A local cache has what lies beside it.
    const { index, commits } = openCommitCache(join(await workspace.folder("cache"), "ostree"), [bare.path]);
    const beside = await index.find({ project: "demo", element: "odd", keys: [keys[0]] }, signal);
    assert.deepEqual(
      [beside?.content.hash, (await contentOfCommit(commits.blobs, beside?.content as Digest)).keys.strong],
      [odd, undefined],
    );
  });

  test("what another has pushed since the summary was made is found by its name", async () => {
    const other = await Repository.create(workspace, "other");
    await other.run("summary", "--update");
    await commitArtifact(workspace, other, "late");
    const { url, server } = await serveFiles(other.path);
    try {
      await using place = await openRemote(url, { push: false });
      assert.equal((await found(place, "late", keys[0])).keys[0], keys[0]);
    } finally {
      server.close();
    }
  });

  test("a Stillage takes commits by HTTPS from who shows a token, and gives them to everybody's ostree", async () => {
    const folder = await workspace.folder("secure");
    const { server: pair } = await makeCertificates(folder);
    const access = await makeAccess(folder, [
      { who: { token: "writer" }, may: "push" },
      { who: { token: "reader" }, may: "pull" },
    ]);
    const [writer, reader] = [await access.token("writer"), await access.token("reader")];
    await using server = await startServer(await workspace.folder("store"), [
      ...[
        "--access",
        access.file,
        "--listen",
        `address=127.0.0.1:0,push=true,cert=${pair.certificate},key=${pair.key}`,
      ],
    ]);
    const url = `https://${server.address}`;
    const as = (token: string) => ({ auth: { serverCert: pair.certificate, accessToken: token } });
    await assert.rejects(openRemote(url), { code: "forbidden" }, "a certificate that nobody trusts");
    await using from = await openRemote(web.url, { push: false });
    const app = await found(from, "app", keys[0]);
    {
      await using place = await openRemote(url, as(reader.file));
      assert.deepEqual([place.writable, place.notWritable?.code], [false, "forbidden"]);
      await assert.rejects(copyCommit(app, from, place, { signal }), { code: "unsupported" });
    }
    await using place = await openRemote(url, as(writer.file));
    assert.equal(place.pulledFrom, `${url}/ostree/`);
    assert.equal(await copyCommit(app, from, place, { signal }), "published");
    assert.equal(await copyCommit(app, from, place, { signal }), "present");
    await using again = await openRemote(`${url}/ostree`, as(reader.file));
    await using local = await cache();
    assert.equal(await copyCommit(await found(again, "app", keys[1]), again, local, { signal }), "published");
    const puller = await Repository.create(workspace, "puller");
    await puller.run(
      "remote",
      "add",
      "--no-gpg-verify",
      `--set=tls-ca-path=${pair.certificate}`,
      "cache",
      `${url}/ostree`,
    );
    await puller.run("pull", `--http-header=Authorization=Bearer ${reader.text}`, "cache", `demo/app/${keys[1]}`);
    assert.equal(await puller.head(`cache:demo/app/${keys[1]}`), commit);
  });

  test("a receiver behind sshd is pushed to, and pulled from where it says", async () => {
    await using from = await openRemote(repository.path, { push: false });
    await using place = await openRemote(`ssh://${site.sshd.user}@127.0.0.1:${site.sshd.port}/artifacts`);
    assert.equal(place.pulledFrom, `${site.pullUrl}/`);
    const artifacts = [await found(from, "app", keys[0]), await found(from, "lib", keys[0])];
    const results = await Promise.all(artifacts.map((each) => copyCommit(each, from, place, { signal })));
    assert.deepEqual(results, ["published", "published"]);
    assert.equal(await copyCommit(artifacts[0] as IndexedArtifact, from, place, { signal }), "present");
    const puller = await Repository.create(workspace, "puller");
    await puller.pull(site.pullUrl, `demo/app/${keys[0]}`);
    assert.equal(await puller.head(`cache:demo/app/${keys[0]}`), commit);
    await using local = await cache();
    assert.equal(await copyCommit(await found(place, "lib", keys[1]), place, local, { signal }), "published");
  });

  test("what is no receiver, or does not take a push, is told in a sentence", async () => {
    const refused = (name: string): Promise<unknown> => openRemote(`ssh://${name}/`);
    await assert.rejects(refused("banner"), {
      message: /^banner does not take pushes of .*no message of that protocol/,
    });
    await assert.rejects(refused("absent"), { message: /^absent has no bst-artifact-receive: .*not found/ });
    await assert.rejects(refused("alone"), { message: /^the receiver at alone has ended .* no server is running on/ });
    await assert.rejects(openRemote("ssh://127.0.0.1:1/"), { code: "unavailable" });
    const connection = await SshConnection.open(parseSshUrl("ssh://silent/"), { options: [], signal, quiet: true });
    const limits = { greetingMs: 300, takingMs: 300, answerMs: 300 };
    await using _closed = connection;
    await assert.rejects(new Receiver(connection, "silent", "/", limits).pullUrl(signal), { code: "deadline" });

    await using from = await openRemote(repository.path, { push: false });
    await using place = await openRemote("ssh://guest/");
    const lib = await found(from, "lib", keys[0]);
    await assert.rejects(copyCommit({ ...lib, element: "mine" }, from, place, { signal }), {
      message: /^guest does not take the push: ssh guest may not push; /,
    });
  });

  test("an object that is damaged here goes nowhere, and what is missing is told before", async () => {
    const damaged = await Repository.create(workspace, "damaged");
    const bad = await commitArtifact(workspace, damaged, "bad", { large: 3_000_000 });
    const objects = await readdir(join(damaged.path, "objects"), { recursive: true });
    const sized = objects.filter((name) => name.endsWith(".filez")).map((name) => join(damaged.path, "objects", name));
    const large = sized.find((path) => statSync(path).size > 1_000_000) as string;
    const bytes = await readFile(large);
    bytes[2_000_000] = (bytes[2_000_000] ?? 0) ^ 1;
    await writeFile(large, bytes);
    await using from = await openRemote(damaged.path, { push: false });
    await using place = await openRemote("ssh://tester/");
    const artifact = await found(from, "bad", keys[0]);
    await assert.rejects(copyCommit(artifact, from, place, { signal }), { code: "corrupt" });
    assert.equal((await place.index.find({ project: "demo", element: "bad", keys }, signal))?.content.hash, undefined);
    await rm(large);
    await assert.rejects(copyCommit(artifact, from, place, { signal }), { code: "not-found" });
    assert.deepEqual(
      await readdir(join(damaged.path, "tmp")).then((names) => names.filter((name) => name !== "cache")),
      [],
    );
    assert.ok(bad);
  });

  test("a mirror into a server of BuildStream 1.6.8 makes Directories of commits, and the same tree of them again", async () => {
    await using old = await startOldServer("1", await workspace.folder("old-server"));
    const home = await workspace.folder("home");
    const env = { PATH: process.env.PATH, HOME: home };
    const stillage = (...words: readonly string[]): Promise<string> =>
      runOk(process.execPath, [programFile("stillage"), ...words], { env, cwd: home });
    const name = `demo/lib/${keys[0]}`;
    const url = `http://${old.address}`;
    assert.match(await stillage("mirror", repository.path, url, "demo/lib"), new RegExp(`^copied\t${name}\t`, "m"));
    assert.match(await stillage("mirror", repository.path, url, "demo/lib"), new RegExp(`^present\t${name}\t`, "m"));
    assert.match(await stillage("artifact", "log", "--in", url, name), /lib was built/);
    const back = await Repository.create(workspace, "back");
    await stillage("mirror", url, back.path, name);
    assert.equal(await contentOf(back.path, name), await contentOf(repository.path, name));
    await back.run("fsck", "--quiet");
    assert.match(
      await stillage("artifact", "pull", name, "--from", repository.path),
      new RegExp(`^pulled\t${name}\t`, "m"),
    );
    assert.match(await stillage("artifact", "pull", name, "--from", repository.path), /^present\t/m);
    // From the local cache it goes, and nothing of it stays.
    await stillage("mirror", repository.path, "local", "demo/*");
    assert.match(await stillage("artifact", "delete", "demo/*"), /demo\/app/);
    const left = await readdir(join(home, ".cache/buildstream/stillage/ostree/objects"), { recursive: true });
    assert.deepEqual(
      left.filter((path) => path.includes(".")),
      [],
    );
  });

  test("a pull that is killed leaves no name, and the next one brings it", async () => {
    const path = join(await workspace.folder("cache"), "ostree");
    const { url, server, asked } = await serveFiles(repository.path, { most: 200 });
    const program = join(checkout, "test/clients/remotes/pull-commit.ts");
    const child = spawn(process.execPath, [program, url, path, "app", keys[0]], { stdio: "inherit" });
    const ended = once(child, "close");
    while (asked.filter((each) => each.endsWith(".filez")).length < 200) await once(server, "request");
    child.kill("SIGKILL");
    await ended;
    server.closeAllConnections();
    server.close();
    const { index, commits } = openCommitCache(path);
    assert.equal(await index.find({ project: "demo", element: "app", keys }, signal), undefined);
    await using place = await openRemote(web.url, { push: false });
    const app = await found(place, "app", keys[0]);
    assert.equal(await commits.take?.(app, place.commits, { signal }), "published");
    assert.equal((await runProgram("ostree", ["fsck", `--repo=${path}`])).status, 0);
  });
});

describe("BuildStream 1.0's own programs", testBuildStream10);

/** A site that every `ssh` of this process reaches, with keys for receivers and for what is none. */
async function openSsh(folder: string): Promise<PushSite> {
  const access = await makeAccess(folder, [
    { who: "anyone", may: "pull" },
    { who: { ssh: "tester" }, may: "push" },
  ]);
  const site = await openPushSite({
    serve: ["--access", access.file],
    async setUp(pullUrl, store) {
      const commands = {
        tester: `${receiver(pullUrl, store)} --as tester`,
        guest: `${receiver(pullUrl, store)} --as guest`,
        alone: receiver(pullUrl, await mkdtemp(join(folder, "store-"))),
        banner: "echo Welcome to this machine",
        absent: "nothing-of-the-kind",
        silent: "sleep 30",
      };
      return {
        keys: Object.entries(commands).map(([name, command]) => ({ name, options: `restrict,command="${command}"` })),
      };
    },
  });
  process.env.PATH = `${site.sshd.bin}:${process.env.PATH}`;
  return site;
}
