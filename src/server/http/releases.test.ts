import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { unidentified } from "../../base/caller.ts";
import type { HttpHandler } from "../../http/exchange.ts";
import { ask, newPeer } from "./asking.fixture.ts";
import { releases } from "./releases.ts";

const elsewhere: HttpHandler = () => ({ status: 418, headers: {} });
const object = `repo/objects/ab/${"c".repeat(62)}`;

describe("release repositories by HTTP", () => {
  let directory: string;
  let door: HttpHandler;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "releases-"));
    const open = join(directory, "os", "public");
    await mkdir(join(open, "repo/objects/ab"), { recursive: true });
    await mkdir(join(open, "repo/refs/heads"), { recursive: true });
    await mkdir(join(open, "repo/tmp"), { recursive: true });
    await mkdir(join(open, "releases/1"), { recursive: true });
    await mkdir(join(directory, "empty", "public"), { recursive: true });
    await mkdir(join(directory, ".hidden", "public"), { recursive: true });
    const files: [string, string | Uint8Array][] = [
      ["index.html", "<p>os</p>"],
      ["releases.json", "{}"],
      ["releases/1/index.html", "one"],
      [`${object}.filez`, "bytes"],
      [`${object}.commitmeta`, ""],
      ["a+b", "plus"],
      [".secret", "no"],
      ["repo/config", "[core]\n"],
      ["repo/.lock", "no"],
      ["repo/tmp/x", "no"],
      ["repo/refs/heads/stable", "1"],
      ["large", Buffer.alloc(300_000, 7)],
    ];
    for (const [name, text] of files) await writeFile(join(open, name), text);
    await writeFile(join(directory, "os", "repository.yaml"), "private");
    await symlink("stable", join(open, "repo/refs/heads/alias"));
    await symlink("../repository.yaml", join(open, "out"));
    await symlink("../..", join(open, "up"));
    door = releases({ releases: directory }, elsewhere);
  });

  after(() => rm(directory, { recursive: true }));

  it("are listed", async () => {
    const page = await ask(door, "/releases/");
    assert.equal(page.headers["content-type"], "text/html; charset=utf-8");
    assert.match(page.body.toString(), /href="\/releases\/os\/"/);
    const json = await ask(door, "/releases/", { headers: { accept: "application/json" } });
    assert.deepEqual(JSON.parse(json.body.toString()), {
      items: [
        { name: "empty", page: "/releases/empty/", repository: "/releases/empty/repo" },
        { name: "os", page: "/releases/os/", repository: "/releases/os/repo" },
      ],
    });
    assert.equal((await ask(door, "/releases")).headers.location, "/releases/");
  });

  const served: [path: string, type: string, body: string, caching: RegExp][] = [
    ["", "text/html; charset=utf-8", "<p>os</p>", /no-cache/],
    ["index.html", "text/html; charset=utf-8", "<p>os</p>", /no-cache/],
    ["releases.json", "application/json", "{}", /no-cache/],
    ["releases/1/", "text/html; charset=utf-8", "one", /no-cache/],
    [`${object}.filez`, "application/octet-stream", "bytes", /^public.*immutable/],
    [`${object}.commitmeta`, "application/octet-stream", "", /no-cache/],
    ["a+b", "application/octet-stream", "plus", /no-cache/],
    ["repo/config", "application/octet-stream", "[core]\n", /no-cache/],
    ["repo/refs/heads/alias", "application/octet-stream", "1", /no-cache/],
    ["large", "application/octet-stream", "\x07".repeat(300_000), /no-cache/],
  ];
  for (const [path, type, body, caching] of served) {
    it(`gives out /${path}`, async () => {
      const target = `/releases/os/${path}`;
      const got = await ask(door, target);
      assert.deepEqual([got.status, got.headers["content-type"], got.body.toString()], [200, type, body]);
      assert.equal(got.headers["content-length"], String(Buffer.byteLength(body)));
      assert.match(got.headers["cache-control"] ?? "", caching);
      const { etag = "", "last-modified": modified = "" } = got.headers;
      const head = await ask(door, target, { method: "HEAD" });
      assert.deepEqual([head.status, head.headers, head.body.length], [200, got.headers, 0]);
      assert.equal((await ask(door, target, { headers: { "if-none-match": `"x", ${etag}` } })).status, 304);
      assert.equal((await ask(door, target, { headers: { "if-modified-since": modified } })).status, 304);
    });
  }

  const absent = [
    "nothing",
    ".secret",
    "%2esecret",
    "repo/.lock",
    "repo/tmp/x",
    "repo/tmp",
    "repo/refs/heads/none",
    "repo/summary",
    "repo/summary.sig",
    "repo/objects/",
    "out",
    "up/os/repository.yaml",
    "../repository.yaml",
    "%2e%2e/repository.yaml",
    "..%2frepository.yaml",
    "releases//1/index.html",
    "a%00b",
    "a%ffb",
    "a b",
    `${"x".repeat(300)}`,
  ];
  for (const path of absent) {
    it(`does not give out ${path.slice(0, 40)}`, async () => {
      assert.equal((await ask(door, `/releases/os/${path}`)).status, 404);
    });
  }

  it("know no other repositories", async () => {
    for (const path of ["none/", "none", ".hidden/", "..", "../", "os%2fpublic/", "empty/"])
      assert.equal((await ask(door, `/releases/${path}`)).status, 404, path);
  });

  it("leads to directories", async () => {
    assert.equal((await ask(door, "/releases/os")).headers.location, "/releases/os/");
    assert.equal((await ask(door, "/releases/os/releases/1")).headers.location, "/releases/os/releases/1/");
    assert.equal((await ask(door, "/releases/os/releases")).status, 404);
  });

  it("give the list of branches that a signature is of, however its path is written", async () => {
    const folder = join(directory, "paired/public/repo");
    await mkdir(folder, { recursive: true });
    const peer = newPeer();
    const replace = async (text: string, time: number): Promise<void> => {
      for (const name of ["summary", "summary.sig"]) {
        await writeFile(join(folder, name), text);
        await utimes(join(folder, name), time, time);
      }
    };
    try {
      await replace("old", 1000);
      assert.equal((await ask(door, "/releases/paired/repo/summary.sig", { peer })).body.toString(), "old");
      await replace("newer", 2000);
      for (const path of ["repo/summary", "%72epo/summary", "repo/summar%79"])
        assert.equal((await ask(door, `/releases/paired/${path}`, { peer })).body.toString(), "old", path);
    } finally {
      await rm(join(directory, "paired"), { recursive: true });
    }
  });

  it("can be read only, by who may pull", async () => {
    assert.equal((await ask(door, "/releases/os/", { method: "PUT" })).status, 405);
    await assert.rejects(ask(door, "/releases/os/", { caller: unidentified }), { code: "unauthenticated" });
  });

  it("leaves other paths to others", async () => {
    for (const path of ["/", "/releasesx", "/cas/x", `/releases/cas/${"a".repeat(64)}`])
      assert.equal((await ask(door, path)).status, 418, path);
    assert.equal((await ask(releases({ releases: undefined }, elsewhere), "/releases/")).status, 418);
  });
});
