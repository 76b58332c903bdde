import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StillageError } from "../../base/errors.ts";
import { ConnectionError } from "../../rpc/client/connection-error.ts";
import { RpcError } from "../../rpc/client/rpc-error.ts";
import { grpcStatus } from "../../rpc/status.ts";
import { encodeDetails } from "../../rpc/status-details.ts";
import { withRetries } from "./retries.ts";

/** Fails so, always: how often it was tried, with which pauses. */
async function tried(error: unknown, retryLimit?: number, retryDelayMs?: number, reached = false, patient = true) {
  const pauses: number[] = [];
  let tries = 0;
  const attempt = async (): Promise<never> => {
    tries++;
    throw error;
  };
  const connection = { keepaliveSeconds: undefined, requestTimeoutSeconds: undefined, retryLimit, retryDelayMs };
  const failure = await withRetries(attempt, {
    spec: { name: "cache", url: "unix:/nowhere", connection },
    doing: "asking",
    channel: { reached },
    patient,
    signal: new AbortController().signal,
    pause: async (ms) => void pauses.push(Math.round(ms)),
    random: () => 0,
  }).catch((caught: unknown) => caught);
  assert.ok(failure instanceof StillageError);
  return { tries, pauses, code: failure.code };
}

const rpc = (code: number, details?: Uint8Array): RpcError => new RpcError(code, "so it is", { details });
const broken = (
  ...[stage, failure, cause]: [ConnectionError["stage"], ConnectionError["failure"], unknown?]
): RpcError =>
  new RpcError(grpcStatus.unavailable, "broken", { cause: new ConnectionError(stage, failure, "broken", { cause }) });

describe("what fails in passing", () => {
  it("is tried four times more, after pauses that grow", async () => {
    const { tries, pauses, code } = await tried(rpc(grpcStatus.unavailable));
    assert.deepEqual([tries, pauses, code], [5, [500, 800, 1280, 2048], "unavailable"]);
    assert.equal((await tried(broken("open", "ended"))).tries, 5);
    assert.equal((await tried(new StillageError("unavailable", "a broken answer"))).tries, 5);
  });

  it("is tried as the configuration says", async () => {
    assert.deepEqual((await tried(rpc(grpcStatus.unavailable), 2, 10)).pauses, [10, 16]);
    assert.equal((await tried(rpc(grpcStatus.unavailable), 0)).tries, 1);
    assert.equal((await tried(broken("connect", "error", { code: "ECONNREFUSED" }), 3)).tries, 4);
  });

  it("waits as long as the server says, and not for ever", async () => {
    const info = (retryAfterMs: number) => encodeDetails(14, "", { retryAfterMs, violations: [] }, "id");
    assert.deepEqual((await tried(rpc(grpcStatus.unavailable, info(3000)))).pauses, [3000, 4800, 7680, 12288]);
    assert.deepEqual((await tried(rpc(grpcStatus.unavailable, info(90_000)), 1)).pauses, [30_000]);
    assert.equal((await tried(rpc(grpcStatus.resourceExhausted, info(10)))).tries, 5);
  });
});

describe("a server of which nothing is heard", () => {
  it("is tried once more where it may come back, and not where time has run out", async () => {
    assert.equal((await tried(broken("connect", "error", { code: "ECONNREFUSED" }))).tries, 2);
    assert.equal((await tried(broken("settings", "ended"))).tries, 2);
    assert.equal((await tried(broken("open", "silent"))).tries, 2);
    assert.equal((await tried(broken("connect", "silent"))).tries, 1);
    assert.equal((await tried(broken("connect", "error", { code: "ENOTFOUND" }))).tries, 1);
  });
});

it("a server that has spoken and is gone all at once is waited for as long as a restart takes, and one that is silent is not", async () => {
  const gone = [
    broken("connect", "error", { code: "ECONNREFUSED" }),
    broken("settings", "ended"),
    broken("open", "ended"),
  ];
  for (const error of gone) {
    const { tries, pauses } = await tried(error, undefined, undefined, true);
    assert.equal(tries, 8);
    assert.ok(pauses.reduce((sum, ms) => sum + ms) > 20_000);
    assert.equal((await tried(error, 2, undefined, true)).tries, 3);
  }
  assert.equal((await tried(broken("open", "silent"), undefined, undefined, true)).tries, 2);
  assert.equal((await tried(broken("connect", "silent"), undefined, undefined, true)).tries, 1);
});

it("a server that refuses connections is not waited for by who has others, unless it has spoken or that is configured", async () => {
  for (const code of ["ECONNREFUSED", "ENOENT"]) {
    const refused = broken("connect", "error", { code });
    assert.deepEqual((await tried(refused, undefined, undefined, false, false)).pauses, []);
    assert.equal((await tried(refused, 3, undefined, false, false)).tries, 4);
    assert.equal((await tried(refused, undefined, undefined, true, false)).tries, 8);
  }
  assert.equal((await tried(broken("settings", "ended"), undefined, undefined, false, false)).tries, 2);
});

describe("what will not be otherwise", () => {
  const cases: readonly (readonly [unknown, StillageError["code"]])[] = [
    [rpc(grpcStatus.notFound), "not-found"],
    [rpc(grpcStatus.permissionDenied), "forbidden"],
    [rpc(grpcStatus.unauthenticated), "unauthenticated"],
    [rpc(grpcStatus.resourceExhausted), "exhausted"],
    [rpc(grpcStatus.unimplemented), "unsupported"],
    [rpc(grpcStatus.deadlineExceeded), "deadline"],
    [rpc(grpcStatus.internal), "unavailable"],
    [rpc(77), "unavailable"],
    [new StillageError("corrupt", "bad bytes"), "corrupt"],
  ];
  for (const [error, code] of cases) {
    it(`is not tried again: ${(error as Error).name} that becomes ${code}`, async () => {
      assert.deepEqual(await tried(error), { tries: 1, pauses: [], code });
    });
  }
});

it("the signal ends a pause", async () => {
  const stop = new AbortController();
  const trying = withRetries(() => Promise.reject(rpc(grpcStatus.unavailable)), {
    spec: {
      name: "cache",
      url: "",
      connection: {
        keepaliveSeconds: undefined,
        requestTimeoutSeconds: undefined,
        retryLimit: 1,
        retryDelayMs: 20_000,
      },
    },
    doing: "asking",
    signal: stop.signal,
  });
  setImmediate(() => stop.abort());
  await assert.rejects(trying, { code: "cancelled" });
});
