import assert from "node:assert/strict";
import { it } from "node:test";
import { StillageError } from "../../base/errors.ts";
import type { ArtifactIndex, ArtifactQuestion } from "../artifact-index.ts";
import type { RemotePlace } from "../connection/remote-place.ts";
import { remoteAt } from "../remote-spec.fixture.ts";
import type { RemoteSpec } from "../remote-spec.ts";
import { AnsweringPlaces } from "./answering-places.ts";

const question: ArtifactQuestion = { project: "harbour", element: "app", keys: ["0".repeat(64)] };
const { signal } = new AbortController();

/** A remote whose answers to `find` are these, in their order: an error, or nothing found. */
function remote(name: string, push: boolean, answers: ("nothing" | "unavailable" | "forbidden")[]): RemotePlace {
  const index = {
    generations: ["2.x"],
    find: async () => {
      const answer = answers.shift() ?? "nothing";
      if (answer !== "nothing") throw new StillageError(answer, `${name} says ${answer}`);
      return undefined;
    },
  } as unknown as ArtifactIndex;
  const spec = remoteAt(`https://${name}.example.org`, { name, push });
  return { name, index, blobs: undefined, writable: push, spec } as unknown as RemotePlace;
}

it("leaves a server out that leaves two calls in a row unanswered, until its time has come", async () => {
  const until = new Map<string, number>();
  const gone: string[] = [];
  const remotes = [
    remote("flaky", true, ["unavailable", "forbidden", "unavailable", "nothing", "unavailable"]),
    remote("dying", true, ["nothing", "unavailable", "unavailable", "unavailable", "unavailable", "nothing"]),
    remote("reader", false, []),
  ];
  const memory = {
    blocked: ({ name }: RemoteSpec) => {
      const time = until.get(name);
      return time === undefined ? undefined : { until: time, since: 0, why: "" };
    },
    failed: async ({ name }: RemoteSpec) => void until.set(name, 1000),
    reached: async ({ name }: RemoteSpec) => void until.delete(name),
  };
  const opened = new AnsweringPlaces(remotes, memory, ({ name }, why) => gone.push(`${name}: ${why}`));
  const specs = remotes.map(({ spec }) => spec);
  const names = (list: readonly { name: string }[]): string[] => list.map(({ name }) => name);
  const all = [...opened.of(specs).pull];
  const askAll = async (): Promise<void> => {
    for (const place of all) await place.index?.find(question, signal).catch(() => {});
  };
  assert.deepEqual(
    [names(all), names(opened.of(specs).push.to)],
    [
      ["flaky", "dying", "reader"],
      ["flaky", "dying"],
    ],
  );
  for (let call = 0; call < 5; call++) await askAll();
  const without = opened.of(specs);
  assert.deepEqual([names(without.pull), names(without.push.to)], [["flaky", "reader"], ["flaky"]]);
  assert.deepEqual(without.push.away, [{ name: "dying", until: 1000 }]);
  assert.deepEqual(gone, ["dying: dying says unavailable"]);
  await askAll();
  const again = opened.of(specs);
  assert.deepEqual([names(again.pull), again.push.away], [["flaky", "dying", "reader"], []]);
  // Another project has them in another order, and one that could not be opened.
  const other = opened.of([...specs.slice(1).reverse(), remoteAt("https://closed.example.org")]);
  assert.deepEqual(names(other.pull), ["reader", "dying"]);
});
