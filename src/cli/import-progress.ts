import type { Outcome } from "../import/outcome.ts";
import { readable } from "./readable.ts";

/** Who waits less than this wants no line about it. */
const afterMs = 2000;

const everyMs = 250;

/** A line on a terminal that says how far an import is. Disposing takes it away. */
export function showProgress(outcome: Outcome, terminal: NodeJS.WriteStream): Disposable {
  return showLine(() => progressLine(outcome), terminal);
}

/** A line on a terminal for as long as something takes that takes long. Disposing takes it away. */
export function showLine(line: () => string, terminal: NodeJS.WriteStream): Disposable {
  if (!terminal.isTTY) return { [Symbol.dispose]: () => {} };
  const started = performance.now();
  let shown = false;
  const timer = setInterval(() => {
    if (performance.now() - started < afterMs) return;
    shown = true;
    terminal.write(`\r\u001b[K${line().slice(0, (terminal.columns || 80) - 1)}`);
  }, everyMs);
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      if (shown) terminal.write("\r\u001b[K");
    },
  };
}

export function progressLine({ phase, steps, allSteps, blobs }: Outcome): string {
  if (phase === "looking") return "looking at what is there";
  const share = allSteps === 0 ? 100 : Math.floor((100 * steps) / allSteps);
  return `${phase}: ${steps} of ${allSteps} (${share} %); ${blobs.taken} blobs taken, ${readable(blobs.takenBytes)}`;
}
