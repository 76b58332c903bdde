import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { AwayError } from "../../../src/client/connection/away-error.ts";
import { openReachability } from "../../../src/client/connection/reachability.ts";
import { bstForBuilds } from "../../../src/client/library/bst-elements.ts";
import { openClient } from "../../../src/client/library/open-client.ts";
import { buildElements } from "../../../src/client/pipeline/build-elements.ts";
import type { Project } from "../support/project.ts";
import { startServer } from "../support/stillage.ts";
import type { Machine } from "./machine.ts";

/** Whoever waits for longer waits for a server, and not for its own next try. */
const longMs = 5000;

/**
 * Builds `quick.bst` and what it needs; the machine's one server, with the store in `folder` and calls that are not tried again, is killed when the first one is built, and started again when somebody waits for it: then the time until it is asked again has
 * passed.
 */
export async function buildWhileServerIsAway(
  project: Project,
  machine: Machine,
  server: { readonly address: string; readonly pid: number },
  folder: string,
): Promise<void> {
  const environment = { HOME: join(machine.folder, "home") };
  await using client = await openClient({ directory: project.folder, environment });
  const { configuration } = client;
  const program = join(machine.folder, "bin/bst");
  const bst = bstForBuilds(configuration, { program, userConfiguration: undefined, options: [] }, environment);
  await using servers = new AsyncDisposableStack();
  let back: Promise<unknown> | undefined;
  const start = async (): Promise<void> => {
    servers.use(await startServer(folder, ["--listen", server.address]));
  };
  let skipped = 0;
  const now = (): number => Date.now() + skipped;
  const told: string[] = [];
  let waited = 0;
  const never = new AbortController().signal;
  const { outcomes, pushes, ended } = await buildElements({
    ...{ bst, configuration, targets: ["quick.bst"], deps: undefined, retries: 1, onError: "quit", now },
    ...{ push: true, retryFailed: undefined, stop: never, abort: never },
    widths: { pull: 2, fetch: 2, build: 2, push: 2 },
    reachability: openReachability(join(machine.folder, "unreachable.json"), now),
    time: {
      now: () => performance.now(),
      async wait(milliseconds, signal) {
        if (milliseconds < longMs) return wait(milliseconds, undefined, { signal });
        back ??= start();
        await back;
        skipped += milliseconds;
      },
    },
    begins: () => {},
    events: (event) => {
      if (event.kind === "settled" && event.element === "base.bst") process.kill(server.pid, "SIGKILL");
      if (event.kind === "retrying" && event.why instanceof AwayError) waited += 1;
    },
    note: (text) => told.push(text),
  });
  assert.deepEqual(
    [...outcomes].map(([name, { kind }]) => [name, kind, pushes.get(name)]),
    [
      ["base.bst", "built", "pushed"],
      ["quick.bst", "built", "pushed"],
    ],
    told.join("\n"),
  );
  assert.equal(ended, undefined);
  assert.ok(waited > 0, "nobody waited for the server");
  const [remote] = configuration.remotes;
  assert.deepEqual(
    told.map((text) => /has stopped answering/.test(text)),
    [true],
    told.join("\n"),
  );
  const there = await client.findAll("wide/quick/*", { in: remote?.name });
  assert.equal(there.length, 1);
}
