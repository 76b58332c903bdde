import { asStillageError, type ErrorCode, type StillageError } from "../base/errors.ts";
import { exitStatus } from "./exit-status.ts";
import { printable } from "./human-text.ts";

/** Says on standard error what went wrong and what can be done about it, and gives the exit status. */
export function reportFailure(error: unknown): number {
  const failure = asStillageError(error);
  const { hint, code } = failure;
  for (const line of [whatFailed(failure), ...(hint === undefined ? [] : [hint])])
    process.stderr.write(`stillage: ${printable(line)}\n`);
  return statusOf[code] ?? exitStatus.failed;
}

/** What went wrong, to whoever has no log of it. */
export function whatFailed({ message, code, cause }: StillageError): string {
  return code === "internal" && cause !== undefined ? String(cause) : message;
}

/** What an error of somebody who asks means to the shell, but for what is a failure. */
const statusOf: Partial<Record<ErrorCode, number>> = { invalid: exitStatus.usage };
