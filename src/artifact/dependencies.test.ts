import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { artifactMessage, keyOf, library, pushNew } from "./artifact.fixture.ts";
import type { BuildDependency } from "./artifact-content.ts";
import { listDependencies } from "./dependencies.ts";

const own = { instance: "", project: "os" };
const dependency = (key: string, project?: string): BuildDependency => ({
  ...{ project, element: "base.bst", key, workspaced: false },
});

describe("listDependencies", () => {
  it("finds by the whole key: in the project that is told, or else in the artifact's own, or in any", async () => {
    const { tenant } = library();
    const message = await artifactMessage(tenant);
    await pushNew(tenant, "os/base", [keyOf("1")], message);
    await pushNew(tenant, "fw/base", [keyOf("1"), keyOf("2")], message);
    const asked: [dependency: BuildDependency, project: string | undefined][] = [
      [dependency(keyOf("1")), "os"],
      [dependency(keyOf("1"), "fw"), "fw"],
      [dependency(keyOf("2")), "fw"],
      [dependency(keyOf("2"), "os"), undefined],
      [dependency("2"), undefined],
      [dependency(keyOf("2").slice(1)), undefined],
      [dependency(""), undefined],
    ];
    const dependencies = asked.map(([each]) => each);
    const listed = await listDependencies(dependencies, own, tenant.refs.artifacts, () => "base");
    assert.deepEqual(
      listed.map(({ artifact }) => artifact),
      asked.map(([{ key }, project]) => project && { project, element: "base", key }),
    );
  });

  it("lets others have their turn", async () => {
    const { tenant } = library();
    let turns = 0;
    let done = false;
    const turn = (): void => {
      turns++;
      if (!done) setImmediate(turn);
    };
    setImmediate(turn);
    const hundred = Array.from({ length: 100 }, (_, i) => dependency(`${i}`));
    await listDependencies(hundred, own, tenant.refs.artifacts, () => "base");
    done = true;
    assert.ok(turns >= 4, `${turns}`);
  });
});
