/** Lines for people about what is done, by how much they want to read. */
export interface Notes {
  say(line: string): void;
  detail(line: string): void;
  warn(line: string): void;
}

/** Notes on standard error. */
export function notesOnErrors(verbosity: "quiet" | "normal" | "verbose"): Notes {
  const write = (line: string): void => {
    // What a pusher's repository says must not drive the terminal of who reads it.
    process.stderr.write(`${line.replaceAll(/\p{Cc}/gu, " ")}\n`);
  };
  const nothing = (): void => {};
  return {
    say: verbosity === "quiet" ? nothing : write,
    detail: verbosity === "verbose" ? write : nothing,
    warn: write,
  };
}
