import assert from "node:assert/strict";
import { test } from "node:test";
import { type PipelineRequest, runPipeline } from "./own-pipeline.ts";

const element = (name: string, ...buildDependencies: string[]) => ({
  name,
  buildDependencies,
  runtimeDependencies: [],
});
type Element = ReturnType<typeof element>;

async function kinds(request: PipelineRequest<Element>): Promise<Record<string, string>> {
  const { outcomes } = await runPipeline(request);
  return Object.fromEntries([...outcomes].map(([name, { kind }]) => [name, kind]));
}

test("what cannot be pulled is built, and what only that needs is looked for", async () => {
  const elements = [element("compiler"), element("lib", "compiler"), element("app", "lib")];
  const built: string[] = [];
  const found = await kinds({
    elements,
    asked: ["app"],
    fetch: async ({ name }) => void built.push(`fetched ${name}`),
    pull: async ({ name }) => ({ kind: name === "lib" ? "pulled" : "missing" }),
    build: async ({ name }) => void built.push(name),
  });
  assert.deepEqual(found, { compiler: "unneeded", lib: "pulled", app: "built" });
  assert.deepEqual(built, ["fetched app", "app"]);
});

test("a builder's error is told as it says it, and what needs the element is left out", async () => {
  const { outcomes, ended } = await runPipeline({
    elements: [element("lib"), element("app", "lib"), element("docs")],
    onError: "continue",
    build: async ({ name }) => {
      if (name === "lib") throw new TypeError("no compiler");
    },
  });
  const lib = outcomes.get("lib");
  assert.ok(lib?.kind === "failed");
  assert.deepEqual([lib.why.code, lib.why.message], ["failed-precondition", "lib: no compiler"]);
  assert.deepEqual([outcomes.get("app")?.kind, outcomes.get("docs")?.kind, ended], ["blocked", "built", undefined]);
});

test("a signal ends what runs", async () => {
  const controller = new AbortController();
  const found = await kinds({
    elements: [element("a"), element("b", "a")],
    signal: controller.signal,
    build: (_, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
        controller.abort();
      }),
  });
  assert.deepEqual(found, { a: "stopped", b: "stopped" });
});

test("a dependency that is nowhere is refused", async () => {
  await assert.rejects(runPipeline({ elements: [element("a", "b")], build: async () => {} }), { code: "invalid" });
});

test("an error of onEvent ends the run, whatever it is told of, and is its error", async () => {
  const error = new Error("thrown by the caller's function");
  const seen: string[] = [];
  const request = (onEvent: PipelineRequest<Element>["onEvent"]): PipelineRequest<Element> => ({
    elements: [element("a"), element("b", "a")],
    push: async () => "pushed",
    build: async () => {},
    onEvent,
  });
  await runPipeline(request(({ kind }) => void seen.push(kind)));
  for (const i of seen.keys()) {
    let told = 0;
    const onEvent = (): void => {
      if (told++ === i) throw error;
    };
    await assert.rejects(runPipeline(request(onEvent)), (thrown) => thrown === error);
    assert.equal(told, i + 1);
  }
});
