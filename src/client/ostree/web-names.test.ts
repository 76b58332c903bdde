import assert from "node:assert/strict";
import { test } from "node:test";
import type { ObjectSource } from "../../ostree/archive/object-source.ts";
import { encodeSummary } from "../../ostree/summary.ts";
import { webNames } from "./web-names.ts";

const { signal } = new AbortController();
const [a, b] = ["a", "b"].map((digit) => digit.repeat(64)) as [string, string];

/** A repository of which a path is answered with this text. */
function source(answers: Readonly<Record<string, string>>, asked: string[] = []): ObjectSource {
  return {
    async get(path) {
      asked.push(path);
      const text = answers[path];
      return text === undefined ? undefined : pieces(text);
    },
  };
}

async function* pieces(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

function summaryOf(names: readonly string[], commit = a): Uint8Array {
  return encodeSummary({ refs: names.map((name) => ({ name, commit, commitBytes: 7, metadata: [] })), metadata: [] });
}

test("names that no artifact has are passed over", async () => {
  const odd = ["../../etc/passwd", "a/b", "a/b/c/d", "p/../k", "p/e/", "p//k", "-p/e/k", "p/e/\u0001"];
  const names = webNames(source({}), summaryOf(["p/e/k", ...odd]));
  const listed = [...(await names.list([{ project: "*", element: "*", key: "" }], signal))];
  assert.deepEqual(listed, [{ project: "p", element: "e", keys: ["k"], commit: a }]);
  assert.equal(names.sizeOf(a), 7);
});

test("what the summary does not list is asked for by its name, if that can be one", async () => {
  const asked: string[] = [];
  const names = webNames(
    source({ "refs/heads/p/new/k": `${b}\n`, "refs/heads/p/page/k": "<html>" }, asked),
    summaryOf([]),
  );
  const find = async (element: string, ...keys: string[]) =>
    (await names.find({ project: "p", element, keys }, signal))?.commit;
  assert.deepEqual(
    [await find("new", "other", "k"), await find("page", "k"), await find("..", "k")],
    [b, undefined, undefined],
  );
  assert.deepEqual(asked, ["refs/heads/p/new/other", "refs/heads/p/new/k", "refs/heads/p/page/k"]);
  asked.length = 0;
  assert.deepEqual([await find("new", "k"), asked], [b, []], "it is known from then on");
  names.note("p/new/weak", b);
  assert.deepEqual((await names.find({ project: "p", element: "new", keys: ["weak"] }, signal))?.keys, ["k", "weak"]);
});

test("a summary that is none is refused", () => {
  assert.throws(() => webNames(source({}), Buffer.from("<html>not found</html>")), { code: "invalid" });
});
