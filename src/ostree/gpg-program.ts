import { spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { StillageError } from "../base/errors.ts";

/** Bytes that are kept of what the program says; signatures and exported keys are some kilobytes. */
const maxOutput = 4 * 1024 * 1024;
const maxStatus = 256 * 1024;
const maxComplaint = 4 * 1024;

export interface GpgOptions {
  /** The directory with its keys; that of the user if it is not given. */
  readonly homedir?: string;
  /** Another program than the `gpg` in the path. */
  readonly program?: string;
  readonly signal?: AbortSignal;
}

export interface GpgRun {
  readonly output: Buffer;
  /** The lines of `--status-fd`, each without its prefix and split into words (GnuPG's doc/DETAILS). */
  readonly status: readonly (readonly string[])[];
  /** What it said to people. */
  readonly complaint: string;
  readonly exit: number | null;
}

/**
 * Runs `gpg` without a terminal: it asks nobody anything. `input` is its standard input. Errors: `failed-precondition` where it is not
 * there; the signal's reason.
 */
export async function runGpg(args: readonly string[], input: Uint8Array, options: GpgOptions = {}): Promise<GpgRun> {
  const { homedir, program = "gpg", signal } = options;
  const home = homedir === undefined ? [] : ["--homedir", homedir];
  const env: NodeJS.ProcessEnv = { ...process.env, LC_ALL: "C" };
  for (const name of ["GPG_TTY", "DISPLAY", "WAYLAND_DISPLAY"]) delete env[name];
  const all = [...home, "--batch", "--no-tty", "--status-fd", "3", ...args];
  signal?.throwIfAborted();
  const child = spawn(program, all, {
    stdio: ["pipe", "pipe", "pipe", "pipe"],
    env,
    killSignal: "SIGKILL",
    ...(signal && { signal }),
  });
  const [stdin, stdout, stderr, status] = child.stdio;
  const read = [
    gather(stdout, maxOutput),
    gather(stderr, maxComplaint),
    gather(status as Readable | null, maxStatus),
  ] as const;
  // It may end before it has read everything, which its status tells of.
  stdin?.on("error", () => {}).end(input);
  const exit = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject).once("close", (code) => resolve(code));
  }).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw notStarted(program, error);
  });
  const [output, complaint, lines] = read.map((bytes) => bytes()) as [Buffer, Buffer, Buffer];
  return { output, exit, complaint: complaint.toString().trim(), status: statusLines(lines.toString()) };
}

function notStarted(program: string, cause: unknown): StillageError {
  if ((cause as NodeJS.ErrnoException).code !== "ENOENT") {
    return new StillageError("unavailable", `${program} cannot be started now`, { cause });
  }
  return new StillageError(
    "failed-precondition",
    `the program ${program}, which makes and verifies GPG signatures, is not here`,
    {
      hint: "install GnuPG (the package gnupg of most distributions)",
      cause,
    },
  );
}

/** Takes what comes, as far as `limit`; what is returned gives it. */
function gather(stream: Readable | null, limit: number): () => Buffer {
  const pieces: Buffer[] = [];
  let length = 0;
  stream?.on("data", (piece: Buffer) => {
    const kept = piece.subarray(0, limit - length);
    length += kept.length;
    if (kept.length > 0) pieces.push(kept);
  });
  return () => Buffer.concat(pieces);
}

function statusLines(text: string): string[][] {
  return text.split("\n").flatMap((line) => (line.startsWith("[GNUPG:] ") ? [line.slice(9).split(" ")] : []));
}

/** The last of what it said, for a message. */
export function lastWords({ complaint }: GpgRun): string {
  return (
    complaint
      .split("\n")
      .at(-1)
      ?.replace(/^gpg: /, "") || "it does not say why"
  );
}
