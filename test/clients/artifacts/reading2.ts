import assert from "node:assert/strict";
import { appendFile, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { artifactListing, artifactLog } from "../bst2/inspect.ts";
import type { BstClient } from "../support/bst.ts";
import { listFolder } from "../support/folder-listing.ts";
import { type OwnClient, ownClient } from "../support/own-client.ts";
import { artifactsAt, openSite, type Site } from "../support/site.ts";
import type { ServerUnderTest } from "../support/stillage.ts";

const elements = ["data/tree.bst", "app.bst"];

/** What our commands read of artifacts, beside what the real program reads of the same. */
export function testReading2(version: string): void {
  describe(`artifacts that bst ${version} built`, () => {
    let site: Site;
    let builder: BstClient;
    let server: ServerUnderTest;
    let own: OwnClient;
    let local: string[];
    const names = new Map<string, string>();
    const nameOf = (element: string): string => names.get(element) as string;

    before(async () => {
      site = await openSite(version);
      server = await site.serve();
      builder = await site.machine("builder", artifactsAt(server, true));
      await builder.ok(site.project, "build", "all.bst");
      own = ownClient(await site.workspace.folder("home"), site.project.folder, version);
      local = ["--cache", builder.cache];
      for (const element of elements) names.set(element, await named(element));
    });
    after(() => site[Symbol.asyncDispose]());

    const ok = async (...words: string[]): Promise<string> => {
      const { status, stdout, stderr } = await own.plain("artifact", ...words);
      assert.equal(status, 0, `stillage artifact ${words.join(" ")}\n${stderr}`);
      return stdout;
    };

    /** The artifact that was built last of an element. */
    async function named(element: string): Promise<string> {
      const [first = ""] = (await ok("list", "--element", element, "--json", "--in", builder.cache))
        .split("\n")
        .slice(1);
      const { project, element: stored, keys } = JSON.parse(first.replace(/,$/, ""));
      return `${project}/${stored}/${keys[0]}`;
    }

    test("checkout writes what bst writes, from the local cache and from a server, as a directory and as an archive", async () => {
      const folder = await site.workspace.folder("checkouts");
      for (const element of elements) {
        const listing = await artifactListing(builder, site, nameOf(element));
        assert.notEqual(listing.length, 0);
        const out = join(folder, element.replaceAll("/", "-"));
        await ok("checkout", nameOf(element), out, ...local);
        assert.deepEqual(await listFolder(out), listing);
        await ok("checkout", nameOf(element), `${out}-served`, "--in", `http://${server.address}`);
        assert.deepEqual(await listFolder(`${out}-served`), listing);
        if (element !== "data/tree.bst") continue;
        const tars = [join(folder, "bst.tar"), join(folder, "own.tar")] as const;
        await builder.ok(
          site.project,
          "artifact",
          "checkout",
          "--force",
          "--deps",
          "none",
          "--tar",
          tars[0],
          nameOf(element),
        );
        await ok("checkout", nameOf(element), "--force", "--tar", tars[1], ...local);
        assert.ok((await readFile(tars[0])).equals(await readFile(tars[1])), "the archives are the same bytes");
      }
      assert.deepEqual(
        (await readdir(folder)).filter((name) => name.startsWith(".")),
        [],
      );
      const [first = "", second = ""] = [join(folder, "1.tar.gz"), join(folder, "2.tar.gz")];
      for (const path of [first, second]) await ok("checkout", nameOf("app.bst"), "--tar", path, ...local);
      assert.ok((await readFile(first)).equals(await readFile(second)));
      const modes = async (path: string) => (await stat(join(folder, path))).mode;
      assert.equal(
        await modes("data-tree.bst/usr/share/harbour/run.sh"),
        await modes("data-tree.bst-served/usr/share/harbour/run.sh"),
      );
    });

    test("checkout makes links to the cache that bst goes on with", async () => {
      const folder = join(await site.workspace.folder("linked"), "out");
      const listing = await artifactListing(builder, site, nameOf("data/tree.bst"));
      await ok("checkout", nameOf("data/tree.bst"), folder, "--hardlinks", ...local);
      assert.deepEqual(await listFolder(folder), listing);
      assert.ok((await stat(join(folder, "usr/share/harbour/twin.txt"))).nlink > 1);
      assert.deepEqual(await artifactListing(builder, site, nameOf("data/tree.bst")), listing);
      const { status, stderr } = await own.plain(
        "artifact",
        "checkout",
        nameOf("app.bst"),
        `${folder}2`,
        "--hardlinks",
        "--in",
        `http://${server.address}`,
      );
      assert.equal(status, 1);
      assert.match(stderr, /--hardlinks needs a local cache/);
    });

    test("list-contents lists what bst lists, in its order", async () => {
      const all = elements.map(nameOf);
      const { stdout } = await builder.ok(site.project, "artifact", "list-contents", "--long", ...all);
      const lines = (await ok("list-contents", "--long", ...all, ...local)).split("\n").slice(0, -1);
      // bst has artifacts in any order, each under a line with its name.
      const listed = new Map<string, string[]>();
      for (const part of stdout.split(/^ {2}(?=\S)/m)) {
        const [name = "", ...files] = part.trimEnd().split("\n");
        listed.set(name.replace(/:$/, ""), files);
      }
      for (const name of all) {
        const ours = lines.filter((line) => line.startsWith(`${name}\t`));
        assert.deepEqual(
          ours.map((line) => `\t${asBst(line.split("\t").slice(1))}`),
          listed.get(name),
        );
      }
      const paths = (await ok("list-contents", nameOf("app.bst"), ...local)).split("\n").slice(0, -1);
      assert.deepEqual(
        paths,
        lines.filter((line) => line.startsWith(nameOf("app.bst"))).map((line) => line.split("\t")[4]),
      );
    });

    test("log prints the log that bst prints, by the name of the element too", async () => {
      const log = await artifactLog(builder, site, "app.bst");
      assert.equal(await ok("log", nameOf("app.bst"), ...local), log.replace(/\n$/, ""));
      assert.equal(await ok("log", "app.bst", ...local), log.replace(/\n$/, ""));
      const out = join(await site.workspace.folder("logs"), "out");
      await ok("log", nameOf("app.bst"), "--out", out, ...local);
      const [directory = ""] = await readdir(out);
      assert.equal(directory, nameOf("app.bst").replaceAll("/", "-"));
      const [file = ""] = await readdir(join(out, directory));
      assert.equal(await readFile(join(out, directory, file), "utf8"), log.replace(/\n$/, ""));
    });

    test("show tells the same of an artifact in the cache and at the server, and says where names are near", async () => {
      const facts = (text: string) =>
        text
          .split("\n")
          .filter((line) => !/^(pushed|by|key)\t/.test(line))
          .sort();
      const here = await ok("show", nameOf("app.bst"), "--files", ...local);
      assert.match(here, /^complete\tyes$/m);
      assert.match(here, /^build\tsucceeded$/m);
      assert.deepEqual(
        facts(await ok("show", nameOf("app.bst"), "--files", "--in", `http://${server.address}`)),
        facts(here),
      );
      const { stderr } = await own.plain("artifact", "show", `harbour/ap/${"0".repeat(64)}`, "--in", builder.cache);
      assert.match(stderr, /did you mean harbour\/app\?/);
      const there = (await ok("list", "--in", builder.cache, "--sort", "name"))
        .split("\n")
        .map((line) => line.split("\t", 2).join("/"));
      assert.ok(there.includes("harbour/data-tree") && there.includes("harbour/app"));
    });

    test("diff tells what a change did, and delete what bst then misses", async () => {
      assert.equal(
        await ok("diff", nameOf("app.bst"), "--in", builder.cache, "--with", `http://${server.address}`),
        "",
      );
      await appendFile(join(site.project.folder, "files/tree/usr/share/harbour/twin.txt"), "and more\n");
      await builder.ok(site.project, "build", "data/tree.bst");
      const { stdout } = await builder.ok(
        site.project,
        "show",
        "--deps",
        "none",
        "--format",
        "%{full-key}",
        "data/tree.bst",
      );
      const changed = `harbour/data-tree/${stdout.trim()}`;
      const diff = await own.plain("artifact", "diff", nameOf("data/tree.bst"), changed, "--files-only", ...local);
      assert.equal(diff.status, 1, diff.stderr);
      assert.equal(diff.stdout, "M\tusr/share/harbour/twin.txt\t7\t16\tcontent\n");
      const whole = await own.plain("artifact", "diff", nameOf("data/tree.bst"), changed, ...local);
      assert.match(whole.stdout, /^key strong\t[0-9a-f]{64}\t[0-9a-f]{64}$/m);
      assert.equal((await own.plain("artifact", "diff", "harbour/none", changed, ...local)).status, 2);

      const state = async () =>
        (await builder.ok(site.project, "artifact", "show", changed)).stdout.trim().split(/\s/)[0];
      await ok("delete", "--dry-run", changed, ...local);
      assert.equal(await state(), "cached");
      assert.match(await ok("delete", changed, ...local), /^harbour\/data-tree\//);
      assert.notEqual(await state(), "cached");
    });
  });
}

/** A line as bst pads it. */
function asBst([mode = "", type = "", size = "", path = "", target]: string[]): string {
  return `${mode}  ${type.padEnd(4)}   ${size}${" ".repeat(11 - size.length)} ${path}${target === undefined ? "" : ` -> ${target}`}`;
}
