import { spawn } from "node:child_process";
import { once } from "node:events";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { StillageError } from "../../base/errors.ts";
import { badArchive } from "../../base/tar/archive-error.ts";

/** As much of what a program says as goes into a message. */
const shownBytes = 200;

/**
 * What a program of the system makes of `source`, from its standard input to its standard output. It gets no environment but the path, and is
 * killed where its output is not read to the end, and on the signal. Errors: `failed-precondition` where it fails, or is not there;
 * `unavailable` where no more programs can be started now; the signal's reason.
 */
export async function* throughProgram(
  program: string,
  args: readonly string[],
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const env = { PATH: process.env.PATH, LC_ALL: "C" };
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], env, signal, killSignal: "SIGKILL" });
  const closed = once(child, "close") as Promise<[status: number | null]>;
  closed.catch(() => {});
  // Without files to be had for its pipes it has none, whatever the types say.
  if ((child.stdin as unknown) === undefined) {
    const cause = await closed.then(
      () => undefined,
      (error: unknown) => error,
    );
    throw new StillageError("unavailable", `${program} cannot be started now`, { cause });
  }
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    if (said.length < shownBytes) said += text;
  });
  let failure: unknown;
  const pieces = source[Symbol.asyncIterator]();
  const watched = async function* (): AsyncGenerator<Uint8Array> {
    const next = async (): Promise<IteratorResult<Uint8Array>> => {
      try {
        return await pieces.next();
      } catch (error) {
        failure = error;
        throw error;
      }
    };
    try {
      for (let piece = await next(); piece.done !== true; piece = await next()) yield piece.value;
    } finally {
      await pieces.return?.();
    }
  };
  // A program that does not read to the end says by its status whether that is wrong.
  const fed = pipeline(Readable.from(watched()), child.stdin).catch(() => {});
  try {
    for await (const chunk of child.stdout) yield chunk as Uint8Array;
    const [status] = await closed;
    await fed;
    if (failure !== undefined) throw failure;
    if (status !== 0) throw badArchive(said.trim().slice(0, shownBytes) || `${program} fails`);
  } catch (error) {
    signal.throwIfAborted();
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new StillageError(
      "failed-precondition",
      `the program ${program}, which reads such archives, is not on the server`,
      {
        hint: `install ${program}, or fetch the archive in another form`,
      },
    );
  } finally {
    child.kill("SIGKILL");
    child.stdin.destroy();
    await fed;
  }
}
