import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { startWebServer, type WebServer } from "../../src/origin/web-server.fixture.ts";
import { bazelBuild } from "./support/bazel.ts";
import { makeCertificates } from "./support/certificates.ts";
import { runOk } from "./support/program.ts";
import { type ServerUnderTest, startServer } from "./support/stillage.ts";
import { createWorkspace, type Workspace } from "./support/workspace.ts";

// Bazel has the server download its external repositories. Where Bazel asked an origin itself, the origin would refuse:
// it takes what calls itself stillage alone.

let workspace: Workspace;
let web: WebServer;
let secure: WebServer;
let archive: Buffer;
let certificate: string;

before(async () => {
  workspace = await createWorkspace();
  const folder = await workspace.folder("library");
  await mkdir(join(folder, "lib-1.0"));
  await writeFile(join(folder, "lib-1.0/BUILD"), 'exports_files(["data.txt", "tool.sh"])\n');
  await writeFile(join(folder, "lib-1.0/WORKSPACE"), "");
  await writeFile(join(folder, "lib-1.0/data.txt"), "from the library\n");
  await writeFile(join(folder, "lib-1.0/tool.sh"), "#!/bin/sh\n");
  await chmod(join(folder, "lib-1.0/tool.sh"), 0o755);
  await runOk("tar", ["czf", "lib.tar.gz", "lib-1.0"], { cwd: folder });
  archive = await readFile(join(folder, "lib.tar.gz"));
  const { server } = await makeCertificates(await workspace.folder("certificates"));
  certificate = server.certificate;
  web = await startWebServer();
  secure = await startWebServer({ cert: readFileSync(server.certificate), key: readFileSync(server.key) });
  for (const each of [web, secure]) {
    each.on("/lib.tar.gz", (request, response) => {
      if (!request.headers["user-agent"]?.startsWith("stillage/")) response.writeHead(403).end();
      else response.writeHead(200, { "content-length": archive.length }).end(archive);
    });
  }
  web.on("/private.tar.gz", (request, response) => {
    if (request.headers.authorization !== "Bearer hunter2") response.writeHead(401).end();
    else response.writeHead(200, { "content-length": archive.length }).end(archive);
  });
});

after(async () => {
  await web[Symbol.asyncDispose]();
  await secure[Symbol.asyncDispose]();
  await workspace[Symbol.asyncDispose]();
});

/** A server that may ask the two origins, and trusts the certificate of the one that has one. */
async function startFetching(...options: string[]): Promise<ServerUnderTest> {
  const allowed = ["--origin-allow", `127.0.0.1:${web.port}`, "--origin-allow", `localhost:${secure.port}`];
  process.env.NODE_EXTRA_CA_CERTS = certificate;
  try {
    const folder = await workspace.folder("store");
    return await startServer(folder, ["--origin-fetch", "any", ...allowed, ...options]);
  } finally {
    delete process.env.NODE_EXTRA_CA_CERTS;
  }
}

const sha256 = () => createHash("sha256").update(archive).digest("hex");

/** Writes a workspace whose one target needs the files of repositories, which rules in Starlark name. */
async function writeSources(rules: string, files: readonly string[]): Promise<string> {
  const sources = await workspace.folder("sources");
  const load = 'load("@bazel_tools//tools/build_defs/repo:http.bzl", "http_archive", "http_file")';
  await writeFile(join(sources, "WORKSPACE"), `workspace(name = "harbour")\n${load}\n${rules}\n`);
  const list = JSON.stringify(files);
  await writeFile(
    join(sources, "BUILD"),
    `genrule(name = "use", srcs = ${list}, outs = ["use.txt"], cmd = "cat $(SRCS) > $@")\n`,
  );
  return sources;
}

/** Builds on a new machine. */
async function build(sources: string, server: ServerUnderTest, ...options: string[]) {
  const at = [`--remote_cache=grpc://${server.address}`, `--experimental_remote_downloader=grpc://${server.address}`];
  return bazelBuild(sources, await workspace.folder("machine"), ...at, ...options);
}

describe("Bazel 4.2.3 with a remote downloader", { concurrency: false }, () => {
  test("gets its repositories through the server, which asks each origin once", async () => {
    await using server = await startFetching();
    const urls = `["${web.url}/absent.tar.gz", "${web.url}/lib.tar.gz"]`;
    const archiveRule = `http_archive(name = "lib", urls = ${urls}, sha256 = "${sha256()}", strip_prefix = "lib-1.0")`;
    const fileRule = `http_file(name = "raw", urls = ["${web.url}/lib.tar.gz"], sha256 = "${sha256()}")`;
    const sources = await writeSources(`${archiveRule}\n${fileRule}`, ["@lib//:data.txt", "@raw//file"]);
    const before = web.count("/lib.tar.gz");
    const first = await build(sources, server);
    assert.equal(first.status, 0, first.stderr);
    const expected = Buffer.concat([Buffer.from("from the library\n"), archive]);
    assert.deepEqual(await readFile(join(sources, "bazel-bin/use.txt")), expected);
    const asked = web.count("/lib.tar.gz") - before;
    assert.ok(asked === 1 || asked === 2, `${asked}: the two rules ask at once, with URIs of their own`);
    const second = await build(sources, server);
    assert.equal(second.status, 0, second.stderr);
    assert.equal(web.count("/lib.tar.gz") - before, asked, "another machine gets them from the server");
  });

  test("gets what it has no checksum of, by https", async () => {
    await using server = await startFetching();
    const rule = `http_file(name = "raw", urls = ["${secure.url}/lib.tar.gz"])`;
    const sources = await writeSources(rule, ["@raw//file"]);
    const built = await build(sources, server);
    assert.equal(built.status, 0, built.stderr);
    assert.deepEqual(await readFile(join(sources, "bazel-bin/use.txt")), archive);
    assert.equal(secure.requests.at(-1)?.headers["user-agent"]?.startsWith("stillage/"), true);
  });

  test("has its credentials sent to the host that they are for, and kept nowhere", async () => {
    await using server = await startFetching();
    const netrc = join(await workspace.folder("home"), "netrc");
    await writeFile(netrc, "machine 127.0.0.1\nlogin x\npassword hunter2\n");
    const auth = `netrc = "${netrc}", auth_patterns = {"127.0.0.1": "Bearer <password>"}`;
    const rule = `http_file(name = "raw", urls = ["${web.url}/private.tar.gz"], sha256 = "${sha256()}", ${auth})`;
    const sources = await writeSources(rule, ["@raw//file"]);
    const built = await build(sources, server);
    assert.equal(built.status, 0, built.stderr);
    assert.equal(web.requests.at(-1)?.headers.authorization, "Bearer hunter2");
    assert.doesNotMatch(server.log(), /hunter2/);
  });

  test("says why there is nothing", async () => {
    await using server = await startFetching();
    const rule = (path: string, sum = sha256()) => `http_file(name = "raw", urls = ["${path}"], sha256 = "${sum}")`;
    const failures: [rule: string, why: RegExp][] = [
      [rule(`${web.url}/absent.tar.gz`), /NOT_FOUND: .*answers 404/],
      [rule(`http://127.0.0.2:${web.port}/lib.tar.gz`), /PERMISSION_DENIED: .*may not be asked/],
      [rule(`${web.url}/lib.tar.gz`, "0".repeat(64)), /ABORTED: .*checksum/],
    ];
    for (const [text, why] of failures) {
      const built = await build(await writeSources(text, ["@raw//file"]), server, "--remote_retries=0");
      assert.notEqual(built.status, 0);
      assert.match(built.stderr, why);
    }
  });
});
