// A thread that has stores for tests: what opens them is in `distant-store.test.ts`.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type MessagePort, workerData } from "node:worker_threads";
import { systemClock } from "../../base/clock.ts";
import { silentLog } from "../../base/log.ts";
import { ThreadLine } from "../../base/thread-line.ts";
import { openDiskStore } from "../disk/open-store.ts";
import { SqliteRefStore } from "../sqlite/sqlite-ref-store.ts";
import { digestOfPlain, type PlainDigest } from "./plain.ts";
import { refDesk } from "./ref-desk.ts";
import { type DoorAsks, StoreDesk } from "./store-desk.ts";

async function openBlobs(port: MessagePort, quota?: number) {
  const directory = mkdtempSync(join(tmpdir(), "store-"));
  const options = { durability: "on" as const, clock: systemClock, log: silentLog };
  const store = await openDiskStore(directory, quota === undefined ? options : { ...options, quota });
  const desk = new StoreDesk(
    (instance) => store.tenant(instance),
    (number) => line.ask("recallUpload", number),
  );
  const line: ThreadLine<DoorAsks> = new ThreadLine<DoorAsks>(port, desk.answers());
  return {
    usage: () => store.usage(),
    removals: () => store.removals(),
    remove: (digest: PlainDigest) => store.tenant("main").remove(digestOfPlain(digest)),
    end: () => desk.close(),
    close: async () => {
      port.close();
      await store.close();
      rmSync(directory, { recursive: true });
      return desk.held;
    },
  };
}

async function openRefs(port: MessagePort, time: SharedArrayBuffer) {
  const directory = mkdtempSync(join(tmpdir(), "refs-"));
  const now = new Float64Array(time);
  const file = join(directory, "refs.sqlite");
  const refs = new SqliteRefStore({ file, durability: "off", clock: () => now[0] as number, log: silentLog });
  new ThreadLine<Record<never, never>>(port, refDesk(refs));
  return {
    close: async () => {
      port.close();
      await refs.close();
      rmSync(directory, { recursive: true });
    },
  };
}

// biome-ignore lint/suspicious/noExplicitAny: each has its own
type Opened = Record<string, (...args: any[]) => unknown>;

const opened: Opened[] = [];
const openers: Opened = { blobs: openBlobs, refs: openRefs };
const { done, port } = workerData as { done: SharedArrayBuffer; port: MessagePort };
const signal = new Int32Array(done);

// Each question is answered with a message, and by waking whoever waits for it without a turn of his event loop.
port.on("message", async ({ ask, of, args }: { ask: string; of: number | undefined; args: unknown[] }) => {
  let answer: unknown;
  if (of === undefined) answer = opened.push((await openers[ask]?.(...args)) as Opened) - 1;
  else answer = await opened[of]?.[ask]?.(...args);
  port.postMessage(answer);
  Atomics.add(signal, 0, 1);
  Atomics.notify(signal, 0);
});
