/** Who waits less than this wants no line about it. */
const afterMs = 2000;

const everyMs = 250;

/** A line that is shown. Disposing takes it away for good. */
export interface ProgressLine extends Disposable {
  /** Takes it away for what is to be written in its place; it comes again below that. */
  away(): void;
}

export const noLine: ProgressLine = { away: () => {}, [Symbol.dispose]: () => {} };

/** A line on a terminal that says how far something is; nothing elsewhere. */
export function showLine(line: () => string, terminal: NodeJS.WriteStream): ProgressLine {
  if (!terminal.isTTY) return noLine;
  const started = performance.now();
  let shown = false;
  const timer = setInterval(() => {
    if (performance.now() - started < afterMs) return;
    shown = true;
    terminal.write(`\r\u001b[K${line().slice(0, (terminal.columns || 80) - 1)}`);
  }, everyMs);
  const away = (): void => {
    if (shown) terminal.write("\r\u001b[K");
    shown = false;
  };
  return {
    away,
    [Symbol.dispose]() {
      clearInterval(timer);
      away();
    },
  };
}
