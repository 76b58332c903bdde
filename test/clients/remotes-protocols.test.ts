import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { contentOfCommit } from "../../src/artifact/directory-content.ts";
import { systemClock } from "../../src/base/clock.ts";
import { startConnectProxy } from "../../src/base/connect-proxy.fixture.ts";
import type { CommitStore } from "../../src/client/commit-store.ts";
import { checkRemotes, works } from "../../src/client/connection/check-remotes.ts";
import { openRemote, openRemotes } from "../../src/client/connection/open-remotes.ts";
import { openReachability } from "../../src/client/connection/reachability.ts";
import type { RemotePlace } from "../../src/client/connection/remote-place.ts";
import { copyCommit } from "../../src/client/ostree/copy-commit.ts";
import type { Generation } from "../../src/store/artifact-refs.ts";
import { programFile } from "../support/program-file.ts";
import { assertQueue } from "./bst2/inspect.ts";
import { Repository } from "./push/repository.ts";
import { findAndCopy, keysOf, open, signal, specOf, spoken } from "./remotes/opened.ts";
import { commitArtifact, keys } from "./remotes/ostree-artifacts.ts";
import { serveFiles } from "./remotes/web-files.ts";
import { makeAccess } from "./support/access.ts";
import { makeCertificates } from "./support/certificates.ts";
import { clientsFolder } from "./support/checkout.ts";
import { type Generation as OldGeneration, startOldServer } from "./support/old-server.ts";
import { unusedPort } from "./support/port.ts";
import { runProgram } from "./support/program.ts";
import { startSilentServer } from "./support/silent-server.ts";
import { artifactsAt, openSite, type Site } from "./support/site.ts";
import { startServer } from "./support/stillage.ts";
import { createWorkspace, type Workspace } from "./support/workspace.ts";

/** Ports of one server: who comes by the first may push. */
const bothPorts = ["--listen", "address=127.0.0.1:0,push=true", "--listen", "address=127.0.0.1:0,push=false"];

/** Elements that need no sandbox. */
const elements = ["data/tree.bst", "data/big.bst"];

const ourProtocols = ["Remote Asset", "ArtifactService", "Remote Asset v1", "ReferenceStorage", "CAS"];

/** Runs `stillage` as a user who has nothing configured, with variables of the environment. */
async function atHome(workspace: Workspace) {
  const home = await workspace.folder("home");
  const own = { PATH: process.env.PATH, HOME: home, XDG_STATE_HOME: home, XDG_CONFIG_HOME: home };
  return (variables: Readonly<Record<string, string>>, ...words: string[]) =>
    runProgram(process.execPath, [programFile("stillage"), ...words], {
      cwd: home,
      env: { ...own, ...variables },
    });
}

/** False, said aloud, where a release cannot be run. */
function atHand(context: TestContext, release: string): boolean {
  if (existsSync(join(clientsFolder, `bst-${release}/bin/bst`))) return true;
  context.skip(`BuildStream ${release} needs a Python 3.8`);
  return false;
}

describe("what a server turns out to be", { concurrency: 2 }, () => {
  test("Stillage speaks for all generations; a port that refuses pushes is there for pulls, and says so", async () => {
    await using workspace = await createWorkspace();
    await using server = await startServer(await workspace.folder("store"), bothPorts);
    const [pushing, pulling] = server.listeners;
    assert.ok(pushing !== undefined && pulling !== undefined);
    await using first = await open(pushing, { push: true });
    assert.deepEqual(
      spoken(first),
      ourProtocols.map((name) => `${name}: allowed, allowed`),
    );
    assert.deepEqual([first.writable, first.shortcomings, first.product?.name], [true, [], "Stillage"]);
    assert.deepEqual(first.index?.generations, ["2.x", "1.9x", "1.x", "1.0"]);

    await using second = await open(pulling, { push: true });
    assert.deepEqual(
      spoken(second),
      ourProtocols.map((name) => `${name}: allowed, refused`),
    );
    assert.equal(second.writable, false);
    assert.match(second.shortcomings.join(), /nothing can be pushed there.*PERMISSION_DENIED.*pulls only/);
    const question = { project: "p", element: "e", keys: ["0".repeat(64)] };
    assert.equal(await second.index?.find(question, signal), undefined);

    await using meant = await open(pushing, {}, { askPush: true });
    await using plain = await open(pushing);
    assert.deepEqual([meant.writable, plain.writable], [true, false]);
    await using names = await open(pulling, { type: "index" });
    assert.deepEqual([names.blobs, names.storage, names.shortcomings], [undefined, undefined, []]);
    await using blobs = await open(pulling, { type: "storage" });
    assert.deepEqual([spoken(blobs), blobs.index], [["CAS: allowed, unasked"], undefined]);
    await assert.rejects(open(pushing, { instanceName: "other" }), { code: "not-found", message: /"other"/ });
  });

  test("TLS, certificates of clients and tokens; what is wrong is said", async () => {
    await using workspace = await createWorkspace();
    const { server: own, client, stranger } = await makeCertificates(await workspace.folder("certificates"));
    const access = await makeAccess(await workspace.folder("access"), [
      { who: { token: "ci" }, may: ["pull", "push"] },
      { who: { token: "reader" }, may: ["pull"] },
    ]);
    const [ci, readerToken] = [await access.token("ci"), await access.token("reader")];
    const tls = `cert=${own.certificate},key=${own.key}`;
    await using known = await startServer(await workspace.folder("store"), [
      ...["--listen", `address=127.0.0.1:0,push=true,${tls},client-certs=${client.certificate}`],
    ]);
    await using tokens = await startServer(await workspace.folder("store"), [
      ...["--listen", `address=127.0.0.1:0,${tls}`, "--access", access.file],
    ]);
    const serverCert = own.certificate;
    const shown = { clientCert: client.certificate, clientKey: client.key };
    const strange = { clientCert: stranger.certificate, clientKey: stranger.key };
    const [atKnown, atTokens] = [`https://${known.address}`, `https://${tokens.address}`];
    const specs = [
      specOf(atKnown, { push: true, auth: { serverCert, ...shown } }),
      specOf(atTokens, { push: true, auth: { serverCert, accessToken: ci.file } }),
      specOf(atTokens, { push: true, auth: { serverCert, accessToken: readerToken.file } }),
      specOf(atTokens, { auth: { serverCert } }),
      specOf(atKnown, { auth: { serverCert, ...strange } }),
      specOf(atKnown, { auth: shown }),
      specOf(atKnown.replace("https", "http")),
    ];
    const reachability = openReachability(join(await workspace.folder("state"), "unreachable.json"), systemClock);
    const checks = await checkRemotes(specs, { reachability, signal, now: systemClock() });
    assert.deepEqual(checks.map(works), [true, true, false, false, false, false, false]);
    const [good, , reader, ...refused] = checks;
    assert.equal(new Date(good?.place?.certificateEnd ?? 0) > new Date(), true);
    assert.deepEqual(good?.warnings, ["its certificate ends in 1 day", "our certificate ends in 1 day"]);
    assert.ok((good?.latencyMs ?? 0) > 0);
    assert.match(reader?.shortcomings.join() ?? "", /PERMISSION_DENIED/);
    assert.deepEqual(
      refused.map(({ error }) => error?.code),
      ["unauthenticated", "unavailable", "unavailable", "unsupported"],
    );
    assert.match(refused.at(-1)?.error?.hint ?? "", /https:\/\//);
    assert.match(refused[2]?.error?.message ?? "", /self-signed/);
  });

  const others: [server: OldGeneration, protocols: string[]][] = [
    ["1", ["ReferenceStorage: allowed, allowed", "CAS: allowed, allowed"]],
    ["1.9", ["ArtifactService: allowed, allowed", "ReferenceStorage: allowed, allowed", "CAS: allowed, allowed"]],
    ["2", ["Remote Asset: allowed, allowed", "Remote Asset v1: allowed, allowed", "CAS: allowed, allowed"]],
    ["casd", ["Remote Asset: allowed, allowed", "Remote Asset v1: allowed, allowed", "CAS: allowed, allowed"]],
  ];
  for (const [generation, protocols] of others) {
    test(`the server of ${generation.startsWith("casd") ? "buildbox" : "BuildStream"} ${generation}`, async (context) => {
      if (generation === "1.9" && !atHand(context, "1.93.4.dev0")) return;
      await using workspace = await createWorkspace();
      await using server = await startOldServer(generation, await workspace.folder("old"));
      await using place = await open(server, { push: true });
      assert.deepEqual(spoken(place), protocols);
      assert.deepEqual([place.writable, place.shortcomings, place.product], [true, [], undefined]);
      const listed = place.index?.list([{ project: "*", element: "*", key: "" }], signal)[Symbol.asyncIterator]();
      await assert.rejects(async () => listed?.next(), { code: "unsupported" });
      if (generation === "2") {
        // It says INVALID_ARGUMENT of an instance that it has not, and OK of what its storage can do.
        await assert.rejects(open(server, { instanceName: "other", type: "index" }), { message: /instance/i });
      }
    });
  }

  test("a web server with a repository, its path, and a Stillage beside its gRPC are caches of BuildStream 1.0", async () => {
    await using workspace = await createWorkspace();
    const repository = await Repository.create(workspace);
    const commit = await commitArtifact(workspace, repository, "app");
    await repository.run("summary", "--update");
    const { server: tls } = await makeCertificates(await workspace.folder("certificates"));
    const web = await serveFiles(repository.path, { tls });
    const atWeb = specOf(web.url, { auth: { serverCert: tls.certificate } });
    await using server = await startServer(await workspace.folder("store"));
    await using from = await openRemote(atWeb, { signal });
    assert.deepEqual([spoken(from), from.shortcomings], [["OSTree: allowed, unasked"], []]);
    await using refusing = await openRemote(atWeb, { askPush: true, signal });
    assert.deepEqual([spoken(refusing), refusing.shortcomings], [["OSTree: allowed, refused"], []]);
    await using path = await openRemote(specOf(repository.path, { push: true }), { signal });
    assert.deepEqual([spoken(path), path.writable], [["OSTree: allowed, allowed"], true]);

    await using to = await open(server, { push: true });
    const [question, each] = [
      { project: "demo", element: "app", keys },
      { project: "*", element: "*", key: "" },
    ];
    const app = await from.index?.find(question, signal);
    assert.equal(app?.content.hash, commit);
    assert.equal(await to.index?.find(question, signal), undefined);
    assert.equal(await copyCommit(app, from, to, { signal }), "published");
    const listed: unknown[] = [];
    for await (const { keys: all, generation } of to.index?.list([each, each], signal) ?? [])
      listed.push([all, generation]);
    assert.deepEqual(listed, [[keys, "1.0"]]);
    const found = await to.index?.find(question, signal);
    assert.deepEqual([found?.generation, found?.content], ["1.0", app.content]);
    assert.ok(to.commits !== undefined && from.commits !== undefined);
    const [theirs, ours] = [from, to].map(({ commits }) =>
      contentOfCommit((commits as CommitStore).blobs, app.content),
    );
    assert.deepEqual(await ours, await theirs);
    assert.deepEqual((await ours)?.problems, []);
    web.server.close();
  });

  test("a web server is none, a port where nothing listens, and servers that stay silent cost seconds once", async () => {
    await using workspace = await createWorkspace();
    await using server = await startServer(await workspace.folder("store"));
    const web = createServer((_, response) => response.writeHead(404).end());
    await once(web.listen(0, "127.0.0.1"), "listening");
    await using mute = await startSilentServer("mute");
    await using settings = await startSilentServer("settings");
    await using pings = await startSilentServer("pings");
    const addresses = [
      `127.0.0.1:${await unusedPort()}`,
      mute.address,
      settings.address,
      server.address,
      pings.address,
      `127.0.0.1:${(web.address() as AddressInfo).port}`,
    ];
    const specs = addresses.map((address) => specOf(`http://${address}`));
    const file = join(await workspace.folder("state"), "unreachable.json");
    const command = () => openRemotes(specs, { reachability: openReachability(file, systemClock), signal });

    await using opened = await command();
    web.close();
    assert.deepEqual(
      opened.open.map(({ spec }) => spec),
      [specs[3]],
    );
    assert.deepEqual(
      opened.left.map(({ error, remembered }) => [error.code, remembered]),
      [
        ["unavailable", false],
        ["unavailable", false],
        ["deadline", false],
        ["deadline", false],
        ["unsupported", false],
      ],
    );
    assert.match(opened.left.at(-1)?.error.message ?? "", /web server/);

    const connections = [mute, settings, pings].map((each) => each.connections);
    await using next = await command();
    assert.deepEqual(
      next.left.map(({ remembered }) => remembered),
      [false, true, true, true, false],
    );
    assert.match(next.left[1]?.error.message ?? "", /has not answered since .* said nothing of HTTP\/2/);
    assert.deepEqual(
      [mute, settings, pings].map((each) => each.connections),
      connections,
    );
    assert.equal(next.open.length, 1);
  });
});

test("stillage remote check", async () => {
  await using workspace = await createWorkspace();
  await using server = await startServer(await workspace.folder("store"), bothPorts);
  const [pushing = "", pulling = ""] = server.listeners.map(({ address }) => `http://${address}`);
  await using mute = await startSilentServer("mute");
  const dead = `http://${mute.address}`;
  const stillage = await atHome(workspace);
  const run = (...words: string[]) => stillage({}, "remote", ...words);

  const good = await run("check", pushing, pulling);
  assert.deepEqual([good.status, good.stderr], [0, ""]);
  const rows = good.stdout
    .trim()
    .split("\n")
    .map((line) => line.split("\t"));
  assert.deepEqual(
    rows.map(([name, , state, product, protocols, pull, push]) => [
      name,
      state,
      product?.split(" ")[0],
      protocols,
      pull,
      push,
    ]),
    [
      [pushing, "works", "Stillage", ourProtocols.join(), "yes", "yes"],
      [pulling, "works", "Stillage", ourProtocols.join(), "yes", "no"],
    ],
  );

  const bad = await run("check", "--json", `url=${pulling},push=true`, dead);
  assert.equal(bad.status, 1);
  const report = JSON.parse(bad.stdout) as { state: string; error: { code: string } | null; shortcomings: string[] }[];
  assert.deepEqual(
    report.map(({ state, error }) => [state, error?.code]),
    [
      ["limited", undefined],
      ["fails", "unavailable"],
    ],
  );
  assert.match(report[0]?.shortcomings.join() ?? "", /PERMISSION_DENIED/);
  assert.match((await run("list", "--remote", dead)).stdout, /not tried until/);
  assert.equal((await run("check", "--remote", pushing)).status, 0);
  assert.doesNotMatch((await run("list", "--remote", dead)).stdout, /not tried until/);
});

test("servers of every kind by way of a proxy that the environment names", async (context) => {
  await using workspace = await createWorkspace();
  const repository = await Repository.create(workspace);
  await commitArtifact(workspace, repository, "app");
  await repository.run("summary", "--update");
  const { server: tls } = await makeCertificates(await workspace.folder("certificates"));
  const listen = `address=127.0.0.1:0,push=true,cert=${tls.certificate},key=${tls.key}`;
  await using server = await startServer(await workspace.folder("store"), ["--listen", listen]);
  const [web, plain] = [await serveFiles(repository.path, { tls }), await serveFiles(repository.path)];
  context.after(() => [web, plain].map(({ server: each }) => each.close()));
  const run = await atHome(workspace);
  const [gRPC, secure] = [`https://${server.address}`, web.url].map(
    (url) => `url=${url},server-cert=${tls.certificate}`,
  );
  const all = [gRPC ?? "", secure ?? "", plain.url];
  await using proxy = await startConnectProxy({ credentials: "me:word" });
  const at = `http://${proxy.address}`;
  const named = { https_proxy: at.replace("//", "//me:word@"), http_proxy: at.replace("//", "//me:word@") };

  const checked = await run(named, "remote", "check", "--json", ...all);
  assert.doesNotMatch(checked.stdout, /me:word/);
  const report = JSON.parse(checked.stdout) as { state: string; proxy: string }[];
  assert.deepEqual(
    report.map((each) => [each.state, each.proxy]),
    all.map(() => ["works", at]),
  );
  assert.equal(proxy.asked.includes(`CONNECT ${server.address}`), true);
  assert.equal(proxy.asked.includes(`CONNECT ${new URL(web.url).host}`), true);
  assert.equal(proxy.asked.includes(`GET ${plain.url}/summary`), true);
  for (const from of [secure ?? "", plain.url]) {
    const mirrored = await run(named, "mirror", from, gRPC ?? "");
    assert.deepEqual([mirrored.status, mirrored.stderr], [0, ""]);
    assert.match(mirrored.stdout, from === secure ? /^copied\t/ : /^present\t/);
  }

  const before = proxy.asked.length;
  const direct = await run({ ...named, no_proxy: "127.0.0.0/8" }, "remote", "check", "--json", ...all);
  assert.deepEqual([direct.status, proxy.asked.length, /"proxy": "/.test(direct.stdout)], [0, before, false]);
  const refused = await run({ https_proxy: at }, "remote", "check", ...all.slice(0, 2));
  assert.equal(refused.status, 1);
  assert.equal(refused.stdout.match(/the proxy http:\S+ does not connect us to \S+: 407/g)?.length, 2);
});

type Built = Awaited<ReturnType<typeof keysOf>>;

/**
 * Builds elements with a release's client, which pushes them to `from`; copies them from there to `to`; and has another client of the release, which has nothing, pull them from `to`. `look`
 * is called between.
 */
async function carry(
  site: Site,
  servers: { readonly from: { readonly address: string }; readonly to: { readonly address: string } },
  generation: Generation,
  look: (to: RemotePlace, from: RemotePlace, built: Built) => Promise<void> = async () => {},
): Promise<void> {
  const builder = await site.machine("builder", artifactsAt(servers.from, true));
  await builder.ok(site.project, "build", ...elements);
  await using from = await open(servers.from);
  await using to = await open(servers.to, { push: true });
  const built = await keysOf(builder, site.project, elements);
  for (const each of built) await findAndCopy(from, to, { ...each, generation });
  await look(to, from, built);
  const puller = await site.machine("puller", artifactsAt(servers.to, false));
  const words = generation === "1.x" ? ["pull"] : ["artifact", "pull"];
  const pulled = await puller.ok(site.project, ...words, ...elements);
  assertQueue(pulled, "Pull", "processed", elements.length);
}

describe("what real clients have pushed", { concurrency: 2 }, () => {
  test("2.8.1's artifacts are found, listed and named at a server of its own, from where it pulls", async () => {
    await using site = await openSite("2.8.1");
    await using own = await startOldServer("2", await site.workspace.folder("other"));
    await carry(site, { from: await site.serve(), to: own }, "2.x", async (_, from, built) => {
      const listed: string[] = [];
      for await (const each of from.index?.list([{ project: "har*", element: "data-?*", key: "" }], signal) ?? []) {
        listed.push(`${each.element} ${each.keys[0]}`);
      }
      assert.deepEqual(listed.sort(), built.map(({ element, key }) => `${element} ${key}`).sort());
    });
  });

  test("1.6.8's are found by ReferenceStorage of its own server, and it pulls them from Stillage by Remote Asset", async () => {
    await using site = await openSite("1.6.8");
    await using own = await startOldServer("1", await site.workspace.folder("own"));
    await carry(site, { from: own, to: await site.serve() }, "1.x");
  });

  test("1.93.4's are found by ArtifactService of its own server, and it pulls them from Stillage", async (context) => {
    if (!atHand(context, "1.93.4.dev0")) return;
    await using site = await openSite("1.93.4.dev0");
    await using own = await startOldServer("1.9", await site.workspace.folder("own"));
    await carry(site, { from: own, to: await site.serve() }, "1.9x", async (to) => {
      const messages: (number | undefined)[] = [];
      for await (const each of to.index?.list([{ project: "harbour", element: "*", key: "" }], signal) ?? []) {
        messages.push(each.message?.length);
      }
      assert.deepEqual([messages.length, messages.includes(undefined)], [elements.length, false]);
    });
  });
});
