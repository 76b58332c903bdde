/** Aborted by Ctrl-C, SIGTERM or a closed terminal, so that everything that was started is ended in order. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(name, () => controller.abort(new Error(`ended by ${name}`)));
  }
  return controller.signal;
}

/** Runs a program's main function: an error is one sentence on standard error and exit status 1. */
export async function runMain(main: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const signal = interruption();
  try {
    await main(signal);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = signal.aborted ? 130 : 1;
  }
}
