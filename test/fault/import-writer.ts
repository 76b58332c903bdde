import { linkOwn, openTarget } from "../../src/import/importing.fixture.ts";

/**
 * Imports a directory into a store and kills itself at the given time that a point is reached, or any point where that is `any`.
 *
 *     node import-writer.ts OLD STORE POINT TIMES
 */
const [old = "", path = "", point, times] = process.argv.slice(2);

let reached = 0;
await using target = await openTarget({
  path,
  faults: {
    reach: (at) => {
      if ((at === point || point === "any") && ++reached === Number(times)) process.kill(process.pid, "SIGKILL");
    },
  },
});
await target.import(old, { mayLink: linkOwn(path) });
