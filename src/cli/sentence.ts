import { StillageError } from "../base/errors.ts";

/** What was foreseen, and the system's refusals, in one sentence; a mistake of ours with its stack. `doing` says what came to nothing. */
export function sentence(error: unknown, doing = "it cannot be done"): string {
  if (error instanceof StillageError)
    return error.hint === undefined ? error.message : `${error.message}; ${error.hint}`;
  if (error instanceof Error && "syscall" in error) return `${doing}: ${error.message}`;
  return `${doing}: ${error instanceof Error ? error.stack : String(error)}`;
}
