import { availableParallelism } from "node:os";
import { scalar } from "./check.ts";
import type { Setting } from "./settings.ts";

/** More processors than that share one disk badly. */
const maxWorkers = 64;

/** How many threads serve connections. */
export const workerCount: Pick<Setting<number>, "type" | "fallback" | "check"> = {
  type: "NUMBER|auto",
  fallback: "1",
  check: scalar(`auto, or a number from 1 to ${maxWorkers}`, (text) => {
    if (text === "auto") return Math.min(availableParallelism(), maxWorkers);
    const number = /^\d{1,2}$/.test(text) ? Number(text) : 0;
    return number >= 1 && number <= maxWorkers ? number : undefined;
  }),
};
