import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { DirectorySchema } from "../../src/gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { ArtifactSchema } from "../../src/gen/buildstream/v2/artifact_pb.ts";
import { blobOf, type TestBlob, upload } from "../conformance/support/blobs.ts";
import { type Endpoint, openEndpoint } from "../conformance/support/endpoint.ts";
import { programFile } from "../support/program-file.ts";
import { type Folder, newFolder } from "./support/folder.ts";
import { type Outcome, type RunningProgram, run, serve } from "./support/programs.ts";

const keyOf = (text: string): string => text.padEnd(64, "0");
const key = keyOf("abc1");

describe("stillage artifact, beside a running server", () => {
  let folder: Folder;
  let server: RunningProgram;
  let endpoint: Endpoint;
  let lost: TestBlob;

  const artifact = (args: readonly string[], cwd = folder.path): Promise<Outcome> =>
    run("stillage", ["artifact", ...args, "--in", "store"], { cwd });
  const lines = ({ stdout, stderr, status }: Outcome): string[] => {
    assert.deepEqual([status, stderr], [0, ""]);
    return stdout.split("\n").slice(0, -1);
  };

  async function push(name: string, keys: readonly string[], extra: readonly TestBlob[] = []): Promise<void> {
    const text = blobOf(Buffer.from("hello\n"));
    const log = blobOf(Buffer.from(`log of ${name}\n`));
    const tree = create(DirectorySchema, {
      files: [text, ...extra].map(({ digest }, i) => ({ name: `f${i}\u001b[31m`, digest, isExecutable: i === 0 })),
      symlinks: [{ name: "link", target: "f\t0" }],
    });
    const files = blobOf(toBinary(DirectorySchema, tree));
    const message = create(ArtifactSchema, {
      ...{ version: 2, buildSuccess: true, strongKey: keys[0] ?? "", weakKey: keys[1] ?? "", files: files.digest },
      logs: [{ name: "build.log", digest: log.digest }],
      buildDeps: [{ projectName: "os", elementName: "base.bst", cacheKey: keyOf("77") }],
    });
    const proto = blobOf(toBinary(ArtifactSchema, message));
    await upload(endpoint, "", [text, log, files, proto]);
    const uris = keys.map((each) => `urn:fdc:buildstream.build:2020:artifact:${name}/${each}`);
    await endpoint.push.pushBlob({ uris, blobDigest: proto.digest });
  }

  before(async () => {
    folder = await newFolder();
    server = await serve("stillage", ["serve", "store", "--listen", "127.0.0.1:0"], { cwd: folder.path });
    endpoint = openEndpoint(`http://${server.listeners[0]?.address}`);
    lost = blobOf(Buffer.from("never uploaded"));
    await push("os/components-gcc", [key, keyOf("abc2")]);
    await push("os/components-gcc", [keyOf("abd")]);
    await push("os/base", [keyOf("77")]);
    await push("fw/boot", [keyOf("99")], [lost]);
  });
  after(async () => {
    await endpoint.channel.close();
    await server[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  test("list prints a line for each artifact, the newest first, with tabs between", async () => {
    const listed = lines(await artifact(["list"])).map((line) => line.split("\t"));
    assert.deepEqual(
      listed.map(([project, element, keys, generation, , by]) => [project, element, keys, generation, by]),
      [
        ["fw", "boot", keyOf("99"), "2.x", "127.0.0.1"],
        ["os", "base", keyOf("77"), "2.x", "127.0.0.1"],
        ["os", "components-gcc", keyOf("abd"), "2.x", "127.0.0.1"],
        ["os", "components-gcc", `${key},${keyOf("abc2")}`, "2.x", "127.0.0.1"],
      ],
    );
    for (const [, , , , time = "", , hash = ""] of listed) {
      assert.equal(new Date(time).toISOString(), time);
      assert.match(hash, /^[0-9a-f]{64}$/);
    }
  });

  test("list finds by pattern, options and limit", async () => {
    for (const [args, count] of [
      [["os/components/gcc.bst"], 2],
      [["GCC"], 2],
      [["99"], 1],
      [["*/b*"], 2],
      [["--project", "f?"], 1],
      [["--element", "components/*.bst", "--key", "abc"], 1],
      [["--limit", "3"], 3],
      [["nothing-like-it"], 0],
    ] as const) {
      assert.equal(lines(await artifact(["list", ...args])).length, count, args.join(" "));
    }
    const names = lines(await artifact(["list", "--sort", "name"])).map((line) => line.split("\t", 2).join("/"));
    assert.deepEqual(names, ["fw/boot", "os/base", "os/components-gcc", "os/components-gcc"]);
  });

  test("list and show print what the API answers as JSON", async () => {
    const api = `http://${server.listeners[0]?.address}/api/v1/artifacts`;
    const { items } = (await (await fetch(`${api}?limit=200`)).json()) as { items: unknown[] };
    assert.deepEqual(JSON.parse((await artifact(["list", "--json"])).stdout), items);
    assert.deepEqual(JSON.parse((await artifact(["list", "--json", "none"])).stdout), []);
    const { lastUsed: _, ...detail } = (await (await fetch(`${api}/os/components-gcc/${key}`)).json()) as Record<
      string,
      unknown
    >;
    const shown = await artifact(["show", `os/components-gcc/${key}`, "--json", "--files"]);
    const { lastUsed: __, files, ...rest } = JSON.parse(shown.stdout) as Record<string, unknown>;
    assert.deepEqual(rest, detail);
    const listed = (await (await fetch(`${api}/os/components-gcc/${key}/files`)).json()) as { items: unknown[] };
    assert.deepEqual(files, listed.items);
  });

  test("show takes the beginning of a key, and tells all that is known", async () => {
    const shown = lines(await artifact(["show", "os/components/gcc.bst/abc1", "--files"]));
    assert.deepEqual(
      shown.filter((line) => !/^(pushed|size)\t/.test(line)),
      [
        "artifact\tos/components-gcc",
        `key\t${key} strong`,
        `key\t${keyOf("abc2")} weak`,
        "generation\t2.x",
        "by\t127.0.0.1",
        "complete\tyes",
        "build\tsucceeded",
        "trees\tfiles",
        "log\tbuild.log 25",
        `built with\tos/base.bst/${keyOf("77")}`,
        "executable\t6\tf0\\x1b[31m\t",
        "symlink\t\tlink\tf\\x090",
      ],
    );
    assert.match(shown.join("\n"), /^size\t\d+ 4$/m);
    assert.equal(lines(await artifact(["show", "o*/base/7"]))[0], "artifact\tos/base");
    const broken = lines(await artifact(["show", "fw/boot/9"]));
    assert.ok(broken.includes("complete\tno") && broken.includes("missing\tfiles: 1 blob"), broken.join("\n"));
  });

  test("after the server has stopped, all is as before", async () => {
    const before = lines(await artifact(["list"]));
    server.signal("SIGTERM");
    assert.equal((await server.ended()).status, 0);
    assert.deepEqual(lines(await artifact(["list"])), before);
    assert.ok(lines(await artifact(["show", "os/base/77"])).includes("complete\tyes"));
    await using again = await serve("stillage", ["serve", "store", "--listen", "127.0.0.1:0"], { cwd: folder.path });
    const response = await fetch(`http://${again.listeners[0]?.address}/api/v1/instances`);
    assert.deepEqual(await response.json(), { items: [{ name: "", artifacts: 4 }] });
  });

  const failures: [args: string[], status: number, message: RegExp][] = [
    [
      ["show", "os/components-gcc/ab"],
      1,
      /more than one artifact is meant by "os\/components-gcc\/ab"\n.*abd0.*abc10/s,
    ],
    [
      ["show", "os/components-gcc/ff"],
      1,
      /there is no artifact .*\n.*is there with other keys: os\/components-gcc\/abd/s,
    ],
    [["show", "os/components-gc/ab"], 1, /did you mean os\/components-gcc\?/],
    [["show", "oss/base/77"], 1, /did you mean the project os\?/],
    [["show", "zzz/zzz/zzz"], 1, /stillage artifact list/],
    [["show", "o*/*/7", "--instance", "nope"], 1, /there is no instance "nope" in this store\n.*it has ""/],
    [["list", "--element", ""], 2, /the element to look for has 1 to 255 characters/],
    [["list", "*?*?*?*?*"], 2, /more than 8 wildcards/],
    [["show", "nonsense"], 2, /is not PROJECT\/ELEMENT\/KEY/],
    [["show"], 2, /missing required argument/],
    [["list", "--sort", "size"], 2, /Allowed choices/],
    [["list", "--limit", "0"], 2, /whole number from 1/],
    [["list", "a", "b"], 2, /too many arguments/],
    [["lst"], 2, /unknown command|Did you mean list/],
  ];
  for (const [args, status, message] of failures) {
    test(`${args.join(" ")}: says what is wrong, and ends with ${status}`, async () => {
      const outcome = await artifact(args);
      assert.equal(outcome.status, status);
      assert.match(outcome.stderr, message);
      assert.equal(outcome.stdout, "");
    });
  }

  test("what is no store is left alone", async () => {
    const { status, stderr } = await run("stillage", ["artifact", "list", "--in", "elsewhere"], {
      cwd: folder.path,
    });
    assert.equal(status, 2);
    assert.match(stderr, /"elsewhere" is no place that artifacts could be in/);
  });

  test("a reader that ends early is no failure", async () => {
    const words = [programFile("stillage"), "artifact", "list", "--in", "store"];
    const child = spawn(process.execPath, words, { cwd: folder.path, stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.destroy();
    let stderr = "";
    child.stderr.on("data", (text: Buffer) => {
      stderr += text.toString();
    });
    const [status] = (await once(child, "close")) as [number];
    assert.deepEqual([status, stderr], [0, ""]);
  });
});
