import { asStillageError, type ErrorCode } from "../base/errors.ts";
import { exitStatus } from "./exit-status.ts";
import { printable } from "./human-text.ts";

/** Says on standard error what went wrong and what can be done about it, and gives the exit status. */
export function reportFailure(error: unknown): number {
  const { message, hint, code, cause } = asStillageError(error);
  const lines = [
    code === "internal" && cause !== undefined ? String(cause) : message,
    ...(hint === undefined ? [] : [hint]),
  ];
  for (const line of lines) process.stderr.write(`stillage: ${printable(line)}\n`);
  return statusOf[code] ?? exitStatus.failed;
}

/** What an error of somebody who asks means to the shell, but for what is a failure. */
const statusOf: Partial<Record<ErrorCode, number>> = { invalid: exitStatus.usage };
