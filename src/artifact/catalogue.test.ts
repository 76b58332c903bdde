import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { digestOf } from "../base/digest.ts";
import { sha256 } from "../base/digest-function.ts";
import { putBlob, putDirectory } from "../cache/tree.fixture.ts";
import type { FoundArtifact } from "../store/artifact-refs.ts";
import {
  artifactMessage,
  keyOf,
  type Library,
  library,
  oldArtifact,
  output,
  pushNew,
  pushOld,
} from "./artifact.fixture.ts";
import type { ListQuery } from "./catalogue.ts";

const everything: ListQuery = {
  ...{ project: undefined, element: undefined, key: undefined, search: undefined, cursor: undefined },
  ...{ sort: "newest", limit: 100 },
};

async function meant({ catalogue }: Library, project: string, element: string, key: string): Promise<FoundArtifact> {
  const found = await catalogue.find({ project, element, key });
  assert.ok(found);
  return found;
}

/** One artifact of each generation, all of one build. */
async function three(): Promise<Library> {
  const made = library();
  const { tenant } = made;
  const message = await artifactMessage(tenant);
  await pushNew(tenant, "os/components-app", [keyOf("1"), keyOf("2")], message);
  made.setTime(2000);
  await tenant.messages.store("artifact", `os/components-lib/${keyOf("1")}`, message, "10.0.0.1");
  await tenant.messages.store("artifact", `os/components-lib/${keyOf("2")}`, message, "10.0.0.1");
  made.setTime(3000);
  await pushOld(
    tenant,
    "old/components-base",
    [keyOf("3"), keyOf("4")],
    await putDirectory(tenant.blobs, oldArtifact()),
  );
  return made;
}

describe("Catalogue", () => {
  it("lists each artifact once, whatever its generation", async () => {
    const { catalogue } = await three();
    const { items, next } = await catalogue.list(everything);
    assert.deepEqual(
      items.map(({ project, element, generation, keys, by }) => [project, element, generation, keys.join(" "), by]),
      [
        ["old", "components-base", "1.x", `${keyOf("3")} ${keyOf("4")}`, undefined],
        ["os", "components-lib", "1.9x", `${keyOf("1")} ${keyOf("2")}`, "10.0.0.1"],
        ["os", "components-app", "2.x", `${keyOf("1")} ${keyOf("2")}`, "CN=builder"],
      ],
    );
    assert.equal(next, undefined);
    assert.equal(await catalogue.count(), 3);
  });

  it("gives them the same report", async () => {
    const made = await three();
    const { catalogue } = made;
    const reports = [
      await catalogue.report(await meant(made, "os", "components-app", keyOf("1"))),
      await catalogue.report(await meant(made, "os", "components-lib", keyOf("2"))),
      await catalogue.report(await meant(made, "old", "components-base", keyOf("4"))),
    ];
    for (const { content, complete, missing, problems } of reports) {
      assert.deepEqual([complete, missing, problems], [true, [], []]);
      assert.deepEqual(
        [content?.build.success, content?.build.error, content?.build.workspaced],
        [true, undefined, false],
      );
      const digest = digestOf(sha256, Buffer.from("it was built\n"));
      assert.deepEqual(content?.logs, [{ name: "build.log", digest, size: 13 }]);
      assert.deepEqual(
        content?.dependencies.map(({ element, key }) => [element, key]),
        [["components/base.bst", keyOf("b")]],
      );
      assert.deepEqual(content?.trees.files, await putDirectory(made.tenant.blobs, output));
    }
    assert.deepEqual(
      reports.map(({ content }) => [content?.keys.strong, content?.keys.weak, content?.keys.strict]),
      [
        [keyOf("1"), keyOf("2"), keyOf("1")],
        [keyOf("1"), keyOf("2"), keyOf("1")],
        [keyOf("3"), keyOf("4"), undefined],
      ],
    );
    assert.deepEqual(reports[0]?.publicData, { bst: { "split-rules": { runtime: ["/usr/bin/*"] } } });
    assert.deepEqual(reports[2]?.publicData, { bst: { "integration-commands": ["ldconfig"] } });
  });

  it("counts every blob once", async () => {
    const made = await three();
    const { size } = await made.catalogue.report(await meant(made, "os", "components-app", keyOf("1")));
    // 4 files, 4 directories (the empty one is no blob), public data, log, two metadata, the message.
    assert.deepEqual([size?.blobs, size?.exact], [13, true]);
    assert.equal((await made.catalogue.report(await meant(made, "os", "components-app", keyOf("2")))).size, size);
  });

  it("says what is missing", async () => {
    const made = await three();
    const lost = digestOf(sha256, Buffer.from("alpha"));
    await made.tenant.blobs.remove(lost);
    await made.tenant.blobs.remove(digestOf(sha256, Buffer.from("it was built\n")));
    const { complete, missing, size } = await made.catalogue.report(
      await meant(made, "os", "components-app", keyOf("1")),
    );
    assert.equal(complete, false);
    assert.deepEqual(missing, [
      { part: "files", blobs: 1, required: true },
      { part: "log build.log", blobs: 1, required: true },
    ]);
    assert.equal(size?.blobs, 13);
    const old = await made.catalogue.report(await meant(made, "old", "components-base", keyOf("3")));
    assert.deepEqual(
      [old.complete, old.missing],
      [false, [{ part: "the artifact's directory", blobs: 2, required: true }]],
    );
  });

  it("is of use where the message itself is gone", async () => {
    const made = await three();
    const found = await meant(made, "os", "components-app", keyOf("1"));
    await made.tenant.blobs.remove(found.content);
    const report = await made.catalogue.report(found);
    assert.deepEqual([report.complete, report.content, report.missing[0]?.part], [false, undefined, "message"]);
    await assert.rejects(made.catalogue.content(found), { code: "not-found" });
  });

  it("finds an element by its file in the project, too", async () => {
    const { catalogue } = await three();
    for (const element of ["components-app", "components/app.bst", "sub.bst:components/app.bst"]) {
      assert.ok(await catalogue.find({ project: "os", element, key: keyOf("1") }), element);
      assert.equal((await catalogue.list({ ...everything, element })).items.length, 1, element);
    }
    for (const [search, count] of [
      ["components/*.bst", 3],
      ["OS/components/app.bst", 1],
      ["333", 1],
      ["components-a", 1],
      ["nothing", 0],
    ] as const) {
      assert.equal((await catalogue.list({ ...everything, search })).items.length, count, search);
    }
  });

  it("goes on where the page before ended, and refuses another list's cursor", async () => {
    const { catalogue } = await three();
    const first = await catalogue.list({ ...everything, limit: 2 });
    assert.equal(first.items.length, 2);
    const second = await catalogue.list({ ...everything, limit: 2, cursor: first.next });
    assert.deepEqual([second.items.length, second.next], [1, undefined]);
    for (const cursor of ["", "x", "bnVsbA", first.next?.slice(2), Buffer.from("[1,2]").toString("base64url")]) {
      await assert.rejects(catalogue.list({ ...everything, cursor }), { code: "invalid" }, cursor);
    }
    await assert.rejects(catalogue.list({ ...everything, sort: "name", cursor: first.next }), { code: "invalid" });
  });

  it("knows of a dependency whether it is here, also where only its key tells the project", async () => {
    const made = await three();
    const app = await meant(made, "os", "components-app", keyOf("1"));
    const old = await meant(made, "old", "components-base", keyOf("3"));
    const absent = (await made.catalogue.dependencies(app, 10, undefined)).items;
    assert.deepEqual(
      absent.map(({ artifact }) => artifact),
      [undefined],
    );
    await pushNew(made.tenant, "os/components-base", [keyOf("b")], await artifactMessage(made.tenant, { version: 1 }));
    const artifact = { project: "os", element: "components-base", key: keyOf("b") };
    for (const each of [app, old]) {
      assert.deepEqual((await made.catalogue.dependencies(each, 10, undefined)).items[0]?.artifact, artifact);
    }
  });

  it("reads logs, and says which there are", async () => {
    const made = await three();
    const app = await meant(made, "os", "components-app", keyOf("1"));
    const log = await made.catalogue.openLog(app, "build.log");
    const bytes = new Uint8Array(log.size);
    await log.read(bytes, 0);
    log.close();
    assert.equal(Buffer.from(bytes).toString(), "it was built\n");
    await assert.rejects(made.catalogue.openLog(app, "other"), { code: "not-found", hint: "it has build.log" });
    await assert.rejects(
      made.catalogue.files(app, "buildtree", { path: "", recursive: true, limit: 1, cursor: undefined }),
      {
        code: "not-found",
        hint: "it has files",
      },
    );
  });

  const broken: [what: string, meta: Record<string, string>, problem: RegExp][] = [
    ["no YAML", { "keys.yaml": "{strong: [" }, /keys\.yaml is not YAML/],
    ["YAML of another shape", { "dependencies.yaml": "- a\n- b\n", "keys.yaml": "strong: {a: b}\n" }, /^$/],
    ["YAML that is too much", { "dependencies.yaml": "x".repeat(200_000) }, /dependencies\.yaml has 200000 bytes/],
    ["YAML of great depth", { "keys.yaml": "[".repeat(900) }, /keys\.yaml is not YAML/],
    ["YAML that grows", { "keys.yaml": "a: &a [x, x]\nb: &b [*a, *a]\nstrong: [*b, *b]\n" }, /keys\.yaml is not YAML/],
    ["YAML with bytes that are no text", { "keys.yaml": "strong: \u0000\u0001" }, /keys\.yaml is not YAML|^$/],
  ];
  for (const [what, meta, problem] of broken) {
    it(`reports on an artifact with ${what}`, async () => {
      const made = library();
      await pushOld(made.tenant, "p/e", [keyOf("3")], await putDirectory(made.tenant.blobs, oldArtifact(meta)));
      const report = await made.catalogue.report(await meant(made, "p", "e", keyOf("3")));
      assert.match(report.problems.join("\n"), problem);
      assert.ok(report.content?.trees.files);
    });
  }

  it("reports on what is no artifact at all", async () => {
    const made = library();
    const junk = await putBlob(made.tenant.blobs, Buffer.from([0xff, 0xff, 0xff]));
    await pushOld(made.tenant, "p/e", [keyOf("3")], junk);
    await pushNew(made.tenant, "p/f", [keyOf("1")], Buffer.from([0xff, 0xff, 0xff]));
    for (const [element, key] of [
      ["e", "3"],
      ["f", "1"],
    ] as const) {
      const report = await made.catalogue.report(await meant(made, "p", element, keyOf(key)));
      assert.equal(report.complete, false);
      assert.equal(report.problems.length, 1);
    }
  });
});
