import assert from "node:assert/strict";
import { it } from "node:test";
import { StillageError } from "../../base/errors.ts";
import type { ArtifactIndex, ArtifactQuestion } from "../artifact-index.ts";
import type { RemotePlace } from "../connection/remote-place.ts";
import { remoteAt } from "../remote-spec.fixture.ts";
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

it("leaves a server out that leaves two calls in a row unanswered, and has that remembered", async () => {
  const failed: string[] = [];
  const gone: string[] = [];
  const remotes = [
    remote("flaky", true, ["unavailable", "forbidden", "unavailable", "nothing", "unavailable"]),
    remote("dying", true, ["nothing", "unavailable", "unavailable", "unavailable"]),
    remote("reader", false, []),
  ];
  const places = new AnsweringPlaces(remotes, { failed: async ({ name }) => void failed.push(name) }, ({ name }, why) =>
    gone.push(`${name}: ${why}`),
  );
  const names = (list: readonly { name: string }[]): string[] => list.map(({ name }) => name);
  const all = [...places.pull];
  assert.deepEqual(
    [names(places.pull), names(places.push)],
    [
      ["flaky", "dying", "reader"],
      ["flaky", "dying"],
    ],
  );
  for (let call = 0; call < 5; call++) {
    for (const place of all) await place.index?.find(question, signal).catch(() => {});
  }
  assert.deepEqual([names(places.pull), names(places.push)], [["flaky", "reader"], ["flaky"]]);
  assert.deepEqual([failed, gone], [["dying"], ["dying: dying says unavailable"]]);
});
