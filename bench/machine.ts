import { cpus, release, totalmem, type } from "node:os";

/** What figures depend on, in one line. */
export function describeMachine(): string {
  const processors = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return `${processors.length} x ${processors[0]?.model.trim()}, ${memory}, ${type()} ${release()}, Node ${process.version}`;
}
