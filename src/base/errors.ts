/** What went wrong, from the caller's point of view. One table per protocol maps a code to its status. */
export type ErrorCode =
  | "invalid" // the request can never succeed as it is
  | "not-found"
  | "exists"
  | "out-of-range"
  | "unauthenticated"
  | "forbidden"
  | "failed-precondition"
  | "exhausted" // a quota or limit, or a full disk
  | "unsupported"
  | "unavailable" // passing: try again
  | "aborted"
  | "cancelled"
  | "deadline"
  | "corrupt" // stored data does not verify
  | "internal";

/** A part of a request that is wrong. */
export interface FieldViolation {
  /** Its path in the request's message. */
  readonly field: string;
  readonly description: string;
}

export interface ErrorDetails {
  /** What the reader of the message can do about it. */
  readonly hint?: string;
  /** The error underneath, for logs only. */
  readonly cause?: unknown;
  /** When it is worth trying again, in milliseconds. */
  readonly retryAfterMs?: number;
  /** What of the request is wrong, for clients that act on it. */
  readonly violations?: readonly FieldViolation[];
}

/** The one error class. The message says what happened, to what, and why. */
export class StillageError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly violations: readonly FieldViolation[];

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, "cause" in details ? { cause: details.cause } : undefined);
    this.name = "StillageError";
    this.code = code;
    this.hint = details.hint;
    this.retryAfterMs = details.retryAfterMs;
    this.violations = details.violations ?? [];
  }
}

/** What went wrong first, where closing what was open went wrong after it: a SuppressedError says nothing of either. */
export function firstError(error: unknown): unknown {
  return error instanceof SuppressedError ? firstError(error.suppressed) : error;
}

/** Gives `error`, or the first of several, as a StillageError; whatever is foreign becomes `internal`, with the original as its cause. */
export function asStillageError(caught: unknown): StillageError {
  const error = firstError(caught);
  if (error instanceof StillageError) return error;
  return new StillageError("internal", "an unexpected error; the server's log has it", { cause: error });
}

/** Codes of file system errors that mean that there is no room. */
const noRoom = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/** Of names that a file system does not take. */
const badName = new Set(["ENAMETOOLONG", "EILSEQ"]);

/** Translates a file system error where it enters: `what` says what was being done, to what. */
export function fromFileSystem(error: unknown, what: string): StillageError {
  if (error instanceof StillageError) return error;
  const code = (error as NodeJS.ErrnoException).code ?? "";
  if (noRoom.has(code)) return new StillageError("exhausted", `${what}: the disk is full (${code})`, { cause: error });
  if (badName.has(code)) {
    const why = code === "EILSEQ" ? "characters that the file system does not take" : "a name that is too long";
    return new StillageError("unsupported", `${what}: it has ${why} (${code})`, { cause: error });
  }
  return new StillageError("internal", `${what}: ${code || String(error)}`, { cause: error });
}
