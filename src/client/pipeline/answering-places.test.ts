import assert from "node:assert/strict";
import { it } from "node:test";
import type { RemotePlace } from "../connection/remote-place.ts";
import { remoteAt } from "../remote-spec.fixture.ts";
import type { RemoteSpec } from "../remote-spec.ts";
import { AnsweringPlaces } from "./answering-places.ts";

function remote(name: string, push: boolean, writable = push): RemotePlace {
  const spec = remoteAt(`https://${name}.example.org`, { name, push });
  return { name, writable, spec } as unknown as RemotePlace;
}

it("leaves out what does not answer, until its time has come, for each project in its order", () => {
  const away = new Map<string, number>();
  const memory = {
    blocked: ({ name }: RemoteSpec) => {
      const until = away.get(name);
      return until === undefined ? undefined : { until, since: 0, why: "" };
    },
  };
  const remotes = [remote("office", true), remote("lab", true), remote("reader", false), remote("sealed", true, false)];
  const places = new AnsweringPlaces(remotes, memory);
  const specs = remotes.map(({ spec }) => spec);
  const names = (list: readonly { name: string }[]): string => list.map(({ name }) => name).join(" ");
  const now = (): string[] => {
    const { pull, push } = places.of(specs);
    return [names(pull), names(push.to), names(push.away)];
  };
  assert.deepEqual(now(), ["office lab reader sealed", "office lab", ""]);
  away.set("lab", 1000).set("sealed", 2000);
  assert.deepEqual(now(), ["office reader", "office", "lab"]);
  assert.deepEqual(places.of(specs).push.away, [{ name: "lab", until: 1000 }]);
  away.clear();
  // Another project has them in another order, and one that could not be opened.
  const other = places.of([...specs.slice(1).reverse(), remoteAt("https://closed.example.org")]);
  assert.equal(names(other.pull), "sealed reader lab");
});
