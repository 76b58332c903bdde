import { StillageError } from "../../base/errors.ts";
import { errorOf, type PlainError, plainError } from "../../base/thread-line.ts";

/** Errors underneath an error that are told, one below the other. */
const maxCauses = 5;

/** An error as plain values: a copy that the system makes of one loses what is our own, or fails. */
interface SentError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: string | undefined;
  /** Where it is a StillageError. */
  readonly own: PlainError | undefined;
  readonly cause: SentError | undefined;
}

/** The fields of a line of the log, on their way to the thread that writes it. */
export interface SentFields {
  readonly plain: Readonly<Record<string, unknown>>;
  readonly errors: Readonly<Record<string, SentError>>;
}

/** Whatever the fields are, these can be sent: what is in no line of JSON is shown as a text. */
export function sentFields(fields: object): SentFields {
  const plain: Record<string, unknown> = {};
  const errors: Record<string, SentError> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value instanceof Error) errors[name] = sentError(value, maxCauses);
    else plain[name] = plainValue(value);
  }
  return { plain, errors };
}

/** The fields as they were. */
export function fieldsOfSent({ plain, errors }: SentFields): object {
  return { ...plain, ...Object.fromEntries(Object.entries(errors).map(([name, error]) => [name, errorOfSent(error)])) };
}

function plainValue(value: unknown): unknown {
  if (typeof value === "function" || typeof value === "symbol") return String(value);
  if (typeof value !== "object" || value === null) return value;
  try {
    return JSON.parse(JSON.stringify(value));
  } catch {
    return String(value);
  }
}

function sentError(error: Error, causes: number): SentError {
  const { name, message, stack, cause } = error;
  const { code } = error as { readonly code?: unknown };
  return {
    name,
    message,
    stack,
    code: typeof code === "string" ? code : undefined,
    own: error instanceof StillageError ? plainError(error) : undefined,
    cause: cause instanceof Error && causes > 0 ? sentError(cause, causes - 1) : undefined,
  };
}

function errorOfSent({ name, message, stack, code, own, cause }: SentError): Error {
  const underneath = cause && { cause: errorOfSent(cause) };
  const error = own === undefined ? new Error(message, underneath) : Object.assign(errorOf(own), underneath);
  if (own === undefined && name !== "Error") Object.assign(error, { name });
  if (own === undefined && code !== undefined) Object.assign(error, { code });
  if (stack !== undefined) error.stack = stack;
  return error;
}
