// A thread that reads packs and large blobs for a check.
import { parentPort, workerData } from "node:worker_threads";
import { storedFunctionOfName } from "../base/digest-function.ts";
import { hashFile } from "./check-file.ts";
import { checkPack } from "./check-pack.ts";
import type { CheckAnswer, CheckTask } from "./check-workers.ts";

const port = parentPort;
if (port === null) throw new Error("this file runs as a worker");
/** Bytes that all threads have done. */
const done = new BigInt64Array((workerData as { done: SharedArrayBuffer }).done);

port.on("message", async ({ id, task }: { id: number; task: CheckTask }) => {
  port.postMessage({ id, ...(await answer(task)) });
});

async function answer(task: CheckTask): Promise<CheckAnswer> {
  try {
    const fn = storedFunctionOfName(task.function);
    if (fn === undefined) throw new Error(`no function ${task.function}`);
    const progress = (bytes: number): void => void Atomics.add(done, 0, BigInt(bytes));
    if (task.kind === "pack") return { pack: checkPack(task.path, task.index, fn, task.now, progress) };
    return { file: await hashFile(task.path, fn, progress) };
  } catch (error) {
    const { code, message, syscall } = error as NodeJS.ErrnoException;
    if (syscall === undefined) throw error;
    return { refused: code ?? message };
  }
}
