import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020 } from "ajv/dist/2020.js";
import { openCallers } from "../../access/granted-caller.ts";
import {
  artifactMessage,
  firstArtifact,
  keyOf,
  type Library,
  library,
  oldArtifact,
  pushCommit,
  pushNew,
  pushOld,
} from "../../artifact/artifact.fixture.ts";
import { cataloguesOf } from "../../artifact/catalogues.ts";
import type { Caller } from "../../base/caller.ts";
import { silentLog } from "../../base/log.ts";
import { putCommitOf } from "../../cache/commit-tree.fixture.ts";
import { putBlob, putDirectory } from "../../cache/tree.fixture.ts";
import type { HttpHandler, HttpRequest, HttpResponse } from "../../http/exchange.ts";
import { api } from "./api.ts";

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: what the schemas say of it is tested
  readonly json: any;
}

interface Description {
  readonly paths: Readonly<
    Record<string, { get: { responses: Record<string, { content: Record<string, { schema: object }> }> } }>
  >;
}

const elsewhere: HttpHandler = () => ({ status: 404, headers: {}, body: Buffer.from("elsewhere") });

function request(method: string, target: string, caller: Caller = openCallers.pulling): HttpRequest {
  const [path = "", query = ""] = target.split("?");
  const host = "127.0.0.1";
  const peer = {
    address: `${host}:1`,
    host,
    network: host,
    local: true,
    push: false,
    tls: false,
    certificate: undefined,
  };
  const visit = { id: "id", peer, caller, instance: "", route: "", identify: () => caller };
  const rest = { headers: {}, received: 0, receive: () => undefined, signal: new AbortController().signal };
  return { ...visit, method, path, query: new URLSearchParams(query), ...rest };
}

async function bodyOf({ body }: HttpResponse): Promise<string> {
  if (body === undefined) return "";
  if (body instanceof Uint8Array) return Buffer.from(body).toString();
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(new Uint8Array(piece));
  return Buffer.concat(pieces).toString();
}

describe("the JSON API", () => {
  let handler: HttpHandler;
  let description: Description;
  let left: Library;
  const ajv = new Ajv2020({
    strict: false,
    formats: { "date-time": /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, "uri-reference": true },
  });

  const call = async (target: string, method = "GET", caller?: Caller): Promise<Answer> => {
    const response = await handler(request(method, target, caller));
    const text = await bodyOf(response);
    const isJson = response.headers["content-type"]?.includes("json");
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: isJson && method === "GET" ? JSON.parse(text) : undefined,
    };
  };

  /** Calls a path that a template of the description describes, and holds the answer against that. */
  const get = async (template: string, target: string): Promise<Answer> => {
    const answer = await call(target);
    const { responses } = description.paths[template]?.get ?? { responses: {} };
    const type = answer.headers["content-type"]?.split(";")[0] ?? "";
    const schema = (responses[answer.status] ?? responses.default)?.content[type]?.schema;
    assert.ok(schema, `${template} does not describe ${answer.status} as ${type}`);
    if (type.endsWith("json")) {
      const valid = ajv.validate(
        { ...schema, components: (description as unknown as { components: object }).components },
        answer.json,
      );
      assert.ok(valid, `${target}: ${ajv.errorsText(ajv.errors)}\n${answer.text}`);
    }
    return answer;
  };

  const list = "/api/v1/artifacts";
  const detail = "/api/v1/artifacts/{project}/{element}/{key}";
  const app = `/api/v1/artifacts/os/components-app/${keyOf("1")}`;
  const commit = `/api/v1/artifacts/oldest/first/${keyOf("d")}`;

  before(async () => {
    left = library("left");
    const right = library("right/team");
    const { tenant } = left;
    const first = await putCommitOf(tenant.blobs, firstArtifact());
    await pushCommit(tenant, "oldest/first", [keyOf("c"), keyOf("d")], first, 500);
    const message = await artifactMessage(tenant);
    await pushNew(tenant, "os/components-app", [keyOf("1"), keyOf("2")], message);
    left.setTime(2000);
    await tenant.messages.store("artifact", `os/lib/${keyOf("5")}`, message);
    left.setTime(3000);
    await pushOld(tenant, "old/base", [keyOf("3"), keyOf("4")], await putDirectory(tenant.blobs, oldArtifact()));
    left.setTime(4000);
    const failed = await artifactMessage(tenant, {
      buildSuccess: false,
      buildError: "it did \u001b[31mnot",
      files: undefined as never,
    });
    await pushNew(tenant, "os/failing", [keyOf("7")], failed);
    left.setTime(5000);
    await pushNew(tenant, "os/junk", [keyOf("8")], Buffer.from([0xff, 0xff]));
    await pushOld(tenant, "os/odd name?&/x", [keyOf("9")], await putBlob(tenant.blobs, "\xff"));
    handler = api(
      { catalogues: cataloguesOf([left.catalogue, right.catalogue]), version: "1.2.3", log: silentLog },
      elsewhere,
    );
    description = (await call("/api/v1/openapi.json")).json;
  });

  it("describes itself in OpenAPI 3.1", async () => {
    const { valid, errors } = await new Validator().validate(structuredClone(description) as never);
    assert.ok(valid, JSON.stringify(errors));
    const operations = Object.values(description.paths).map(
      ({ get }) => (get as unknown as { operationId: string }).operationId,
    );
    assert.equal(new Set(operations).size, 7);
  });

  it("shows each what he may pull, and says no more of the rest than that he may not", async () => {
    const caller = (name: string, instance: string): Caller => ({
      name,
      identified: name !== "anonymous",
      may: (right, where) => right === "pull" && where === instance,
      isPublic: () => false,
    });
    const reader = caller("token left", "left");
    const instances = await call("/api/v1/instances", "GET", reader);
    assert.deepEqual(
      instances.json.items.map((each: { name: string }) => each.name),
      ["left"],
    );
    assert.ok(
      (await call(list, "GET", reader)).json.items.length > 0,
      "the only one that he may see is the one that is meant",
    );
    for (const instance of ["right/team", "no-such"]) {
      const refused = await call(`${list}?instance=${instance}`, "GET", reader);
      assert.deepEqual(
        [refused.status, refused.json.detail],
        [403, `token left may not pull in the instance "${instance}"`],
      );
      assert.equal((await call(`${app}?instance=${instance}`, "GET", reader)).status, 403);
    }
    const stranger = await call(list, "GET", caller("anonymous", "none"));
    assert.deepEqual([stranger.status, stranger.headers["www-authenticate"]], [401, 'Basic realm="Stillage", Bearer']);
  });

  it("lists instances with how much they have", async () => {
    const { json } = await get("/api/v1/instances", "/api/v1/instances");
    assert.deepEqual(json.items, [
      { name: "left", artifacts: 7 },
      { name: "right/team", artifacts: 0 },
    ]);
  });

  it("lists artifacts, the newest first, a page at a time", async () => {
    const first = await get(list, `${list}?instance=left&limit=4`);
    assert.equal(first.json.items.length, 4);
    const second = await get(list, `${list}?instance=left&limit=4&cursor=${first.json.next}`);
    assert.equal(second.json.next, null);
    const elements = [...first.json.items, ...second.json.items].map(({ element }) => element);
    assert.deepEqual(elements.slice(2), ["failing", "base", "lib", "components-app", "first"]);
    assert.deepEqual(new Set(elements.slice(0, 2)), new Set(["junk", "odd name?&/x"]));
    assert.equal((await get(list, `${list}?instance=right/team`)).json.items.length, 0);
  });

  it("finds by what is asked for", async () => {
    for (const [query, elements] of [
      ["project=old", ["base"]],
      ["element=components/app.bst", ["components-app"]],
      ["element=*app&project=o%3F", ["components-app"]],
      [`key=${keyOf("2").slice(0, 5)}`, ["components-app"]],
      ["q=OS/COMP", ["components-app"]],
      ["q=333&sort=name", ["base"]],
      ["q=nothing", []],
    ] as const) {
      const { json } = await get(list, `${list}?instance=left&${query}`);
      assert.deepEqual(
        json.items.map(({ element }: { element: string }) => element),
        elements,
        query,
      );
    }
  });

  it("shows artifacts of each generation, failed ones and junk in one form", async () => {
    const { json } = await get(detail, `${app}?instance=left`);
    assert.deepEqual(
      [json.complete, json.build.success, json.dependencies, json.pushedBy],
      [true, true, 1, "CN=builder"],
    );
    assert.deepEqual([json.size.blobs, json.trees.files.complete, json.trees.buildtree], [13, true, null]);
    assert.deepEqual(json.cacheKeys, { strong: keyOf("1"), weak: keyOf("2"), strict: keyOf("1") });
    const old = await get(detail, `/api/v1/artifacts/old/base/${keyOf("4")}?instance=left`);
    assert.deepEqual([old.json.generation, old.json.cacheKeys.strong, old.json.version], ["1.x", keyOf("3"), null]);
    assert.equal((await get(detail, `/api/v1/artifacts/os/lib/${keyOf("5")}?instance=left`)).json.generation, "1.9x");
    const first = await get(detail, `${commit}?instance=left`);
    assert.deepEqual([first.json.generation, first.json.complete, first.json.problems], ["1.0", true, []]);
    assert.deepEqual([first.json.trees.files.complete, first.json.cacheKeys.weak], [true, keyOf("6")]);
    const failed = await get(detail, `/api/v1/artifacts/os/failing/${keyOf("7")}?instance=left`);
    assert.deepEqual([failed.json.build.success, failed.json.build.error], [false, "it did \u001b[31mnot"]);
    const junk = await get(detail, `/api/v1/artifacts/os/junk/${keyOf("8")}?instance=left`);
    assert.deepEqual([junk.json.complete, junk.json.problems.length], [false, 1]);
  });

  it("lists the files of a commit, and inflates its logs", async () => {
    const { json } = await get(`${detail}/files`, `${commit}/files?instance=left&path=share/doc`);
    assert.deepEqual(
      json.items.map(({ path, size, digest }: Record<string, { function: string }>) => [path, size, digest?.function]),
      [
        ["share/doc/a.txt", 5, "ostree"],
        ["share/doc/b.txt", 4, "ostree"],
      ],
    );
    const logs = await get(`${detail}/logs`, `${commit}/logs?instance=left`);
    assert.deepEqual([logs.json.items[0].size, logs.json.items[0].digest.function], [13, "ostree"]);
    const log = await get(`${detail}/logs/{name}`, `${commit}/logs/build.log?instance=left`);
    assert.deepEqual([log.text, log.headers["content-length"]], ["it was built\n", "13"]);
    assert.equal((await call(`${commit}/logs/build.log?instance=left`, "HEAD")).text, "");
  });

  it("takes an element with a slash in any spelling", async () => {
    for (const element of ["odd%20name%3F%26%2Fx", "odd%20name%3F%26/x"]) {
      const { json } = await get(detail, `/api/v1/artifacts/os/${element}/${keyOf("9")}?instance=left`);
      assert.equal(json.element, "odd name?&/x");
    }
    for (const element of ["components%2Fapp.bst", "components/app.bst", "sub.bst:components%2Fapp.bst"]) {
      assert.equal(
        (await get(detail, `/api/v1/artifacts/os/${element}/${keyOf("1")}?instance=left`)).status,
        200,
        element,
      );
    }
  });

  it("lists files and directories, and goes on with the next page", async () => {
    const files = `${detail}/files`;
    const first = await get(files, `${app}/files?instance=left&limit=4`);
    const rest = await get(files, `${app}/files?instance=left&cursor=${first.json.next}`);
    const paths = [...first.json.items, ...rest.json.items].map(({ path }) => path);
    assert.deepEqual(paths, [
      "bin",
      "bin/tool",
      "share",
      "share/doc",
      "share/doc/a.txt",
      "share/doc/b.txt",
      "share/empty",
      "top.txt",
    ]);
    const one = await get(files, `${app}/files?instance=left&path=/share/&recursive=false`);
    assert.deepEqual(
      one.json.items.map(({ path }: { path: string }) => path),
      ["share/doc", "share/empty"],
    );
    assert.equal((await get(files, `${app}/files?instance=left&path=absent`)).status, 404);
    assert.match((await get(files, `${app}/files?instance=left&tree=buildtree`)).json.hint, /it has files/);
  });

  it("serves logs as text, and says what they are", async () => {
    const logs = await get(`${detail}/logs`, `${app}/logs?instance=left`);
    assert.deepEqual(
      logs.json.items.map(({ name }: { name: string }) => name),
      ["build.log"],
    );
    const log = await get(`${detail}/logs/{name}`, `${app}/logs/build.log?instance=left`);
    assert.deepEqual([log.status, log.text, log.headers["x-content-type-options"]], [200, "it was built\n", "nosniff"]);
    assert.equal(log.headers["content-length"], String(log.text.length));
    assert.equal((await call(`${app}/logs/build.log?instance=left`, "HEAD")).text, "");
    assert.equal((await get(`${detail}/logs/{name}`, `${app}/logs/none?instance=left`)).status, 404);
  });

  it("lists dependencies, and which of them are here", async () => {
    const { json } = await get(`${detail}/dependencies`, `${app}/dependencies?instance=left`);
    assert.deepEqual(json.items, [
      { project: "os", element: "components/base.bst", key: keyOf("b"), workspaced: false, artifact: null },
    ]);
  });

  const refused: [target: string, status: number, parameter: string | undefined, detail: RegExp][] = [
    [`${list}`, 404, undefined, /several instances/],
    [`${list}?instance=none`, 404, undefined, /no instance "none"/],
    [`${list}?instance=left&limit=0`, 400, "limit", /whole number from 1 to 200/],
    [`${list}?instance=left&limit=201`, 400, "limit", /from 1 to 200/],
    [`${list}?instance=left&limit=1e1`, 400, "limit", /whole number/],
    [`${list}?instance=left&limit=5&limit=5`, 400, "limit", /more than once/],
    [`${list}?instance=left&sort=size`, 400, "sort", /newest, oldest or name/],
    [`${list}?instance=left&projct=x`, 400, "projct", /no parameter "projct"/],
    [`${list}?instance=left&cursor=abc`, 400, undefined, /cursor/],
    [`${list}?instance=left&q=${"x".repeat(2000)}`, 400, "q", /1 to 128 characters/],
    [`${list}?instance=left&q=${"*x".repeat(9)}`, 400, undefined, /more than 8 wildcards/],
    [`${list}?instance=left&element=${"%3F".repeat(9)}`, 400, undefined, /more than 8 wildcards/],
    [`${list}?instance=left&q=`, 400, "q", /not 0/],
    [`${list}/os/app/k?instance=left`, 404, undefined, /no artifact os\/app\/k/],
    [`${list}/os/%ff/k?instance=left`, 400, "element", /percent-encoded/],
    [`${app}/files?instance=left&recursive=yes`, 400, "recursive", /true or false/],
    [`${app}/files?instance=left&tree=toys`, 400, "tree", /files, buildtree/],
    ["/api/v1/nothing", 404, undefined, /nothing at this path/],
    ["/api/v1/", 404, undefined, /nothing at this path/],
  ];
  for (const [target, status, parameter, text] of refused) {
    it(`refuses ${target.slice(0, 100)} in words`, async () => {
      const { json, headers, status: given } = await get(list, target);
      assert.deepEqual([given, json.status, json.parameter], [status, status, parameter]);
      assert.equal(headers["content-type"], "application/problem+json");
      assert.match(json.detail, text);
    });
  }

  it("takes no writes, and leaves other paths to others", async () => {
    const { status, headers } = await call(`${list}?instance=left`, "POST");
    assert.deepEqual([status, headers.allow], [405, "GET, HEAD"]);
    assert.equal((await call("/api/v2/artifacts")).text, "elsewhere");
    assert.equal((await call("/status")).text, "elsewhere");
  });

  it("tells nobody but the log what failed inside", async () => {
    const logged: object[] = [];
    const broken = { ...left.catalogue, instance: "left", count: () => Promise.reject(new Error("secret")) } as never;
    const log = { ...silentLog, error: (fields: object) => logged.push(fields) };
    handler = api({ catalogues: cataloguesOf([broken]), version: "1", log }, elsewhere);
    const { status, text } = await call("/api/v1/instances");
    assert.equal(status, 500);
    assert.doesNotMatch(text, /secret/);
    assert.equal(logged.length, 1);
  });
});
