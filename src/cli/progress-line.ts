/** Who waits less than this wants no line about it. */
const afterMs = 2000;

const everyMs = 250;

/** A line on a terminal that says how far something is; nothing elsewhere. Disposing takes it away. */
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
