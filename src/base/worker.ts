import { Worker, type WorkerOptions } from "node:worker_threads";

/**
 * Where a worker's file is, as a path beside the module whose `import.meta.url` is `from`: the source itself, run by type stripping, or
 * `x.worker.js` beside the bundle that the module became part of.
 */
export function workerUrl(file: `./${string}.worker.ts`, from: string): URL {
  return new URL(from.endsWith(".ts") ? file : file.replace(/\.ts$/, ".js"), from);
}

export function startWorker(file: `./${string}.worker.ts`, from: string, options: WorkerOptions): Worker {
  return new Worker(workerUrl(file, from), options);
}
