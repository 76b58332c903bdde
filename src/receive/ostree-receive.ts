import { notesOnErrors } from "./notes.ts";
import { receiveRequest, receiveUsage } from "./ostree-receive-arguments.ts";
import { type ReceiveOptions, receiveBranches } from "./receive-branches.ts";

export interface OstreeReceiveOptions extends Omit<ReceiveOptions, "notes"> {
  /** Ours, for whoever asks. */
  readonly version: string;
}

/**
 * The other side of a push by `ostree-push` 0.1.1 and later: the program `ostree-receive`. Gives its exit status; what is for people goes to standard error.
 * Errors: those of `receiveRequest` and `receiveBranches`.
 */
export async function ostreeReceive(args: readonly string[], options: OstreeReceiveOptions): Promise<number> {
  const request = receiveRequest(args);
  if (request === "version" || request === "help") {
    process.stdout.write(
      request === "help" ? `usage: ${receiveUsage}\n` : `ostree-receive (Stillage) ${options.version}\n`,
    );
    return 0;
  }
  await receiveBranches(request, { ...options, notes: notesOnErrors(request.verbosity) });
  return 0;
}
