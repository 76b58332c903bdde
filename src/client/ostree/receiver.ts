import { once } from "node:events";
import { StillageError } from "../../base/errors.ts";
import { type Dictionary, lookUp } from "../../base/gvariant/value.ts";
import { inTime } from "../../base/in-time.ts";
import { patientInput } from "../../base/patient-input.ts";
import { ByteSource } from "../../base/tar/byte-source.ts";
import {
  encodePushMessage,
  type PushMessage,
  type PushMessageType,
  readPushMessage,
} from "../../ostree/push-message.ts";
import { type SshCommand, type SshConnection, shellQuoted } from "../../ssh/ssh-connection.ts";

/** The mode of a repository that pushes are taken in (OSTreeRepoMode, archive). */
const archiveMode = 1;

/** What stands for a commit that is not known: BuildStream's own clients never know one. */
const unknownCommit = "0".repeat(64);

/** How long a receiver may take, in milliseconds. */
export interface ReceiverLimits {
  /** To say where one pulls. */
  readonly greetingMs: number;
  /** In a push, to take some bytes. */
  readonly takingMs: number;
  /** To answer in a push: at its end all that came is looked at. */
  readonly answerMs: number;
}

const usualLimits: ReceiverLimits = { greetingMs: 20_000, takingMs: 120_000, answerMs: 300_000 };

/** How long a receiver that was told `done` may take to end. */
const endingMs = 10_000;

/** The program on the other side of ssh that takes pushes of BuildStream 1.0 to 1.1.3. */
export class Receiver {
  private readonly connection: SshConnection;
  private readonly host: string;
  private readonly words: readonly string[];
  private readonly limits: ReceiverLimits;

  /** `path`: of the repository there, as the URL has it. */
  constructor(connection: SshConnection, host: string, path: string, limits: ReceiverLimits = usualLimits) {
    this.connection = connection;
    this.host = host;
    this.limits = limits;
    this.words = ["bst-artifact-receive", "--verbose", shellQuoted(path)];
  }

  /** Asks where what was pushed is pulled. Errors: `unavailable`, `deadline`; `failed-precondition` where it is no receiver; the signal's reason. */
  async pullUrl(signal: AbortSignal): Promise<string> {
    await using session = this.begin(this.limits.greetingMs, signal);
    const url = await session.greet(0);
    await session.send("done");
    await session.over();
    return url;
  }

  /**
   * Pushes the objects of `archive`, a tar stream, and has refs lead to a commit among them. Whatever breaks off before the end changes no ref there. Errors: as of `pullUrl`; `failed-precondition` with the
   * reason where the receiver refuses; those of the archive.
   */
  async push(
    refs: readonly string[],
    commit: string,
    archive: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<void> {
    await using session = this.begin(this.limits.answerMs, signal);
    await session.greet(archiveMode);
    await session.send(
      "update",
      refs.map((name) => [name, { type: "(ss)", value: [unknownCommit, commit] }]),
    );
    const { args } = await session.expect("status");
    if (lookUp(args, "result", "b") !== true) {
      const why = String(lookUp(args, "message", "s") ?? "").replaceAll(/\p{Cc}/gu, " ");
      throw new StillageError("failed-precondition", `${this.host} does not take the push: ${why.slice(0, 1000)}`);
    }
    await session.send("putobjects");
    for await (const piece of archive) await session.write(piece);
    await session.send("done");
    await session.expect("done");
    await session.over();
  }

  private begin(patienceMs: number, signal: AbortSignal): Session {
    signal.throwIfAborted();
    const { connection, words, host, limits } = this;
    return new Session(connection.converse(words), host, { patienceMs, takingMs: limits.takingMs }, signal);
  }
}

/** One run of the receiver. Disposing ends it. */
class Session implements AsyncDisposable {
  private readonly command: SshCommand;
  private readonly host: string;
  private readonly signal: AbortSignal;
  private readonly source: ByteSource;
  private readonly stop = (): void => this.command.stop();
  private readonly takingMs: number;
  private broken = false;

  constructor(
    command: SshCommand,
    host: string,
    { patienceMs, takingMs }: { readonly patienceMs: number; readonly takingMs: number },
    signal: AbortSignal,
  ) {
    this.command = command;
    this.host = host;
    this.takingMs = takingMs;
    this.signal = signal;
    this.source = new ByteSource(patientInput(command.output, patienceMs, `the receiver at ${host}`));
    signal.addEventListener("abort", this.stop);
    // What was written to a receiver that has ended: reading says why it has.
    command.input.on("error", () => {
      this.broken = true;
    });
    command.output.on("error", () => {});
  }

  /** Says whether it is a push, and gives where one pulls. */
  async greet(mode: number): Promise<string> {
    await this.send("info", [
      ["mode", { type: "i", value: mode }],
      ["refs", { type: "a{ss}", value: [] }],
    ]);
    const { args } = await this.expect("info");
    if (lookUp(args, "mode", "i") !== archiveMode) {
      throw this.strange("its repository is not of mode archive, and BuildStream pushes to no other");
    }
    const url = lookUp(args, "pull_url", "s");
    if (typeof url !== "string" || url === "") throw this.strange("it does not say where one pulls");
    return url;
  }

  send(type: PushMessageType, args: Dictionary = []): Promise<void> {
    return this.write(encodePushMessage({ type, args }));
  }

  /** Settles when there is room for more. What a receiver has not taken that has ended, the next `expect` tells. */
  async write(piece: Uint8Array): Promise<void> {
    this.signal.throwIfAborted();
    const { input } = this.command;
    if (this.broken || input.destroyed) throw await this.ended();
    if (piece.length === 0 || input.write(piece)) return;
    const waiting = new AbortController();
    const { signal } = waiting;
    try {
      const drained = once(input, "drain", { signal }).then(() => true);
      const over = this.command.ended.then(() => true);
      const moved = await inTime(Promise.race([drained, over]), this.takingMs, false);
      if (!moved) throw new StillageError("deadline", `the receiver at ${this.host} takes nothing any more`);
    } catch (error) {
      if (error instanceof StillageError) throw error;
      throw await this.ended();
    } finally {
      waiting.abort();
    }
  }

  /** The next message. Errors: what the receiver has said of why there is none. */
  async expect(wanted: PushMessageType): Promise<PushMessage> {
    const message = await readPushMessage(this.source).catch((error: unknown) => {
      this.signal.throwIfAborted();
      if (!(error instanceof StillageError) || error.code === "deadline") throw error;
      throw this.strange(error.code === "invalid" ? "what it says is no message of that protocol" : "it breaks off");
    });
    this.signal.throwIfAborted();
    if (message === undefined) throw await this.ended();
    if (message.type === wanted) return message;
    throw this.strange(`it says ${message.type} where ${wanted} is due`);
  }

  /** Waits for it to end by itself, as it does when it was told that all is done. */
  async over(): Promise<void> {
    this.command.input.end();
    await inTime(
      this.command.ended.then(() => {}),
      endingMs,
      undefined,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal.removeEventListener("abort", this.stop);
    this.command.stop();
    await this.command.ended.catch(() => {});
  }

  /** Why a receiver has ended before it should. */
  private async ended(): Promise<StillageError> {
    const status = await inTime(this.command.ended, endingMs, undefined);
    this.signal.throwIfAborted();
    const said = this.command.errors();
    const shown = said === "" ? "" : `: ${said}`;
    if (status === 127) {
      return new StillageError("failed-precondition", `${this.host} has no bst-artifact-receive${shown}`, {
        hint: "that is what takes pushes of BuildStream 1.0: BuildStream 1.0's own, or Stillage's",
      });
    }
    const code = status === 255 || status === undefined ? "unavailable" : "failed-precondition";
    return new StillageError(code, `the receiver at ${this.host} has ended before the push was done${shown}`);
  }

  private strange(why: string): StillageError {
    const said = this.command.errors();
    return new StillageError(
      "failed-precondition",
      `${this.host} does not take pushes of BuildStream 1.0: ${why}${said === "" ? "" : ` (${said})`}`,
    );
  }
}
