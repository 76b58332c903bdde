import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** A place that listens as a service manager does. Disposing ends it. */
export interface Notices extends AsyncDisposable {
  /** For NOTIFY_SOCKET. */
  readonly socket: string;
  /** All that came, each the lines of one message. */
  readonly all: readonly string[];
  /** Resolves with the first message from now on, or from `from`, that has all of these lines. */
  next(lines: readonly string[], from?: number): Promise<string>;
}

export async function listenForNotices(folder: string): Promise<Notices> {
  const socket = join(folder, "notify");
  const child: ChildProcess = spawn("python3", [join(import.meta.dirname, "notices.py"), socket], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "close");
  const all: string[] = [];
  const waiting = new Set<() => void>();
  const listening = Promise.withResolvers<void>();
  if (child.stdout === null) throw new Error("the listener has no output");
  createInterface(child.stdout).on("line", (line) => {
    const message = JSON.parse(line) as string;
    if (message === "listening") return listening.resolve();
    all.push(message);
    for (const look of waiting) look();
  });
  await Promise.race([listening.promise, ended.then(() => Promise.reject(new Error("nobody listens")))]);
  return {
    socket,
    all,
    next: (lines, from = all.length) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = all.slice(from).find((message) => lines.every((line) => message.split("\n").includes(line)));
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
    async [Symbol.asyncDispose]() {
      child.kill();
      await ended;
    },
  };
}
