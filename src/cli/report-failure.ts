import { getSystemErrorMessage } from "node:util";
import { asStillageError, type ErrorCode, type StillageError } from "../base/errors.ts";
import { exitStatus } from "./exit-status.ts";
import { printable } from "./human-text.ts";

/** Says on standard error what went wrong and what can be done about it, and gives the exit status. */
export function reportFailure(error: unknown): number {
  const failure = asStillageError(error);
  const { code, hint = hintOf(failure.cause) } = failure;
  for (const line of [whatFailed(failure), ...(hint === undefined ? [] : [hint])])
    process.stderr.write(`stillage: ${printable(line)}\n`);
  return statusOf[code] ?? exitStatus.failed;
}

/** What went wrong, to whoever has no log of it. */
export function whatFailed({ message, code, cause }: StillageError): string {
  if (code !== "internal" || cause === undefined) return message;
  return isOfSystem(cause) ? ofSystem(message, cause) : String(cause);
}

/** An error of a call of the system, as Node has them. */
interface SystemError extends NodeJS.ErrnoException {
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
}

export function isOfSystem(error: unknown): error is SystemError {
  const { code, errno, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  return typeof code === "string" && typeof errno === "number" && typeof syscall === "string";
}

/** `what: why (CODE)`, with the path where nothing else names it. */
function ofSystem(message: string, { code, errno, syscall, path }: SystemError): string {
  if (syscall === "uv_cwd") return "the working directory is not there any more";
  const why = getSystemErrorMessage(errno) ?? code;
  if (!message.endsWith(code)) return `${path === undefined ? syscall : `${syscall} ${path}`}: ${why} (${code})`;
  const where = path === undefined || message.includes(path) ? "" : `: ${syscall} '${path}'`;
  return `${message.slice(0, -code.length)}${why} (${code}${where})`;
}

const hints: Readonly<Record<string, string>> = {
  EACCES: "run as a user who has the rights for that, or name another place",
  EPERM: "run as a user who has the rights for that, or name another place",
  EROFS: "its file system is read-only: name another place",
  ENOTDIR: "a part of that path is a file: name another place",
};

function hintOf(cause: unknown): string | undefined {
  if (!isOfSystem(cause)) return undefined;
  if (cause.syscall === "uv_cwd") return "go to a directory that is there (cd)";
  if (cause.code === "ENOENT" && cause.syscall === "mkdir")
    return "its file system takes no directory there: name another place";
  return hints[cause.code];
}

/** What an error of somebody who asks means to the shell, but for what is a failure. */
const statusOf: Partial<Record<ErrorCode, number>> = { invalid: exitStatus.usage };
