// BuildStream's traffic at the quota for an hour, with random kills, and a look at everything afterwards: `run.ts --help`.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { freshDirectory } from "../fresh-directory.ts";
import { runMain } from "../interrupt.ts";
import { describeMachine } from "../machine.ts";
import { positiveNumber } from "../positive-number.ts";
import { startServer } from "../server-process.ts";
import { checkout, stillage } from "../servers.ts";
import { pullAll } from "./afterwards.ts";
import { runBuilder, type Work } from "./client.ts";
import { Ledger } from "./ledger.ts";
import { metricsOf } from "./metrics.ts";
import { pacer } from "./pacer.ts";
import { pinSome, pinsThere } from "./pins.ts";
import { programAt } from "./program.ts";
import { Tally } from "./tally.ts";
import { watch } from "./watch.ts";

const help = `Usage: node bench/long-run/run.ts [options]
  --minutes N   how long (60)
  --quota MIB   of the store, in MiB (2048)
  --lease N     seconds (60)
  --builders N  clients at a time (6)
  --rate MIB    pushed in a second at most, in MiB (30)
  --kill N      seconds until the next kill, on average (150)
  --dir DIR     where the server gets a fresh folder (.cache/bench)
  --json FILE   write the figures to FILE`;

/** Elements of the project: some are wanted all the time, most hardly ever. */
const elements = 3000;
/** How often a change makes a new version of an element that is wanted. */
const changing = 0.25;

const mebibyte = 1 << 20;
const sayEveryMs = 60_000;

await runMain(async (signal) => {
  const { values } = parseArgs({
    options: {
      minutes: { type: "string", default: "60" },
      quota: { type: "string", default: "2048" },
      lease: { type: "string", default: "60" },
      builders: { type: "string", default: "6" },
      rate: { type: "string", default: "30" },
      kill: { type: "string", default: "150" },
      dir: { type: "string", default: join(checkout, ".cache/bench") },
      json: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(help);
  const minutes = positiveNumber("minutes", values.minutes);
  const leaseMs = positiveNumber("lease", values.lease) * 1000;
  const killMs = positiveNumber("kill", values.kill) * 1000;
  const quota = positiveNumber("quota", values.quota) * mebibyte;
  const rate = positiveNumber("rate", values.rate) * mebibyte;
  const path = stillage.locate();
  if (path === undefined) throw new Error(stillage.hint);
  const program = programAt(path);
  await using directory = await freshDirectory(values.dir);
  const store = join(directory.path, "store");
  const { args, ...how } = await stillage.launch(path, directory.path);
  const settings = ["--quota", String(quota), "--lease", `${values.lease}s`, "--scrub-every", "10m"];
  const launch = { ...how, args: [...args, ...settings] };

  const tally = new Tally();
  const ledger = new Ledger();
  let server = await startServer(launch, signal);
  try {
    await pinSome(server.address, program, store);
    const stop = new AbortController();
    const running = AbortSignal.any([signal, stop.signal]);
    const versions = new Map<number, number>();
    const work: Work = {
      ...{ ledger, tally, leaseMs },
      address: () => server.address,
      pace: pacer(rate),
      next: () => {
        const element = Math.floor(Math.random() ** 3 * elements);
        const version = (versions.get(element) ?? 0) + (Math.random() < changing ? 1 : 0);
        versions.set(element, version);
        return { element, version };
      },
    };
    const builders = Array.from({ length: positiveNumber("builders", values.builders) }, () =>
      runBuilder(work, running),
    );
    const working = Promise.all([...builders, watch(store, () => server, tally, running)]);
    const saying = setInterval(() => console.error(tally.line()), sayEveryMs);
    try {
      const end = performance.now() + minutes * 60_000;
      for (;;) {
        const pause = -Math.log(1 - Math.random()) * killMs;
        const left = end - performance.now();
        await Promise.race([working, delay(Math.max(0, Math.min(pause, left)), undefined, { signal })]);
        if (pause >= left) break;
        await server.stop("SIGKILL");
        ledger.life++;
        tally.kills++;
        server = await startServer(launch, signal);
        tally.startsMs.push(Math.round(server.readyMs));
      }
    } finally {
      clearInterval(saying);
      stop.abort();
    }
    await working;
    const metrics = metricsOf(await (await fetch(`http://${server.address}/metrics`)).text());
    await server.stop();

    const fsck = await program("store", "fsck", "--store", store, "--json");
    server = await startServer(launch, signal);
    const pins = await pinsThere(server.address, tally);
    const artifacts = await pullAll(server.address, ledger, leaseMs, tally);
    const report = {
      machine: describeMachine(),
      ...{ minutes, quota, leaseSeconds: leaseMs / 1000 },
      ...tally.figures(),
      ...{ artifacts, pins, metrics },
      fsck: { status: fsck.status, ...(JSON.parse(fsck.output) as object) },
    };
    console.log(JSON.stringify(report, undefined, 2));
    if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(report, undefined, 2)}\n`);
    if (tally.violations > 0 || fsck.status !== 0) throw new Error("a promise was broken: see the report");
  } finally {
    await server.stop();
  }
});
