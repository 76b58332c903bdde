import type { Writable } from "node:stream";
import { asStillageError, StillageError } from "../base/errors.ts";
import { type Dictionary, lookUp } from "../base/gvariant/value.ts";
import { patientInput } from "../base/patient-input.ts";
import { ByteSource } from "../base/tar/byte-source.ts";
import { tarStream } from "../base/tar/tar-stream.ts";
import { encodePushMessage, type PushMessage, type PushMessageType, readPushMessage } from "../ostree/push-message.ts";
import { CacheServer, type ServerPlace } from "./cache-server.ts";
import { type RefUpdate, readUpdates } from "./update.ts";

export interface ArtifactReceiveOptions {
  /** Where clients are told to pull. */
  readonly pullUrl: string;
  readonly server: ServerPlace;
  readonly instance: string;
  /** Who pushes, where sshd knows it. */
  readonly as: string | undefined;
  /** 0: errors alone. 1: what was done. 2: every message. */
  readonly verbosity: 0 | 1 | 2;
}

/** Standard input and output of a session, and where what is for people goes. */
export interface ReceiveStreams {
  readonly input: AsyncIterable<Uint8Array>;
  readonly output: Writable;
  readonly errors: Pick<Writable, "write">;
}

/** The mode of a repository that pushes are taken in (OSTreeRepoMode, archive). Clients push to no other. */
const archiveMode = 1;

/** A status is a message, and those have at most 64 KiB. */
const maxReasonLength = 2000;

const name = "bst-artifact-receive";

/**
 * The other side of a push of BuildStream 1.0 to 1.1.3 over ssh: the program `bst-artifact-receive`. Gives its exit status. The server verifies and stores the
 * objects while they come, and sets the refs once the pusher has said that it is done: wherever a session breaks off, no ref has changed, and what was stored without
 * one goes by expiry.
 */
export async function artifactReceive(options: ArtifactReceiveOptions, streams: ReceiveStreams): Promise<number> {
  const session = new Session(options, streams);
  try {
    return await session.run();
  } catch (error) {
    session.fail(error);
    return 1;
  }
}

class Session {
  private readonly options: ArtifactReceiveOptions;
  private readonly server: CacheServer;
  private readonly source: ByteSource;
  private readonly streams: ReceiveStreams;

  constructor(options: ArtifactReceiveOptions, streams: ReceiveStreams) {
    const { server: place, instance, as } = options;
    this.options = options;
    this.server = new CacheServer({ place, instance, as });
    this.source = new ByteSource(patientInput(streams.input));
    this.streams = streams;
  }

  async run(): Promise<number> {
    const { args } = await this.expect("info");
    // A client that only asks whether it may push does without a cache where there is none; one that pushes is told why it cannot.
    if (lookUp(args, "mode", "i") === 0) await this.checkReachable();
    await this.send("info", [
      ["mode", { type: "i", value: archiveMode }],
      // Whatever is here: clients of 1.0 take a ref that they are told of for one that needs no push.
      ["refs", { type: "a{ss}", value: [] }],
      ["pull_url", { type: "s", value: this.options.pullUrl }],
    ]);
    const asked = await this.expect("update", "done");
    if (asked.type === "done") return 0;
    const updates = await this.accept(asked.args);
    if (updates === undefined) return 1;
    const next = await this.expect("putobjects", "done");
    if (next.type === "done") return 0;
    return this.receive(updates);
  }

  /** Says what went wrong to whoever reads standard error. */
  fail(error: unknown): void {
    const { message, hint, code, cause } = asStillageError(error);
    this.say(0, code === "internal" && cause !== undefined ? String(cause) : message);
    if (hint !== undefined) this.say(0, hint);
    if (cause !== undefined) this.say(2, String((cause as Error).stack ?? cause));
  }

  private async checkReachable(): Promise<void> {
    try {
      await this.server.check(new Map());
    } catch (error) {
      const { code, retryAfterMs } = asStillageError(error);
      // One that is busy is there.
      if (code === "unavailable" && retryAfterMs === undefined) throw error;
    }
  }

  /** Answers an update, with the reason where it cannot be; `undefined` then. */
  private async accept(args: Dictionary): Promise<ReadonlyMap<string, RefUpdate> | undefined> {
    try {
      const updates = readUpdates(args);
      for (const [ref, { to }] of updates) this.say(1, `${ref} is to be ${to}`);
      await this.server.check(updates);
      await this.status(true, "");
      return updates;
    } catch (error) {
      this.fail(error);
      const { message, hint } = asStillageError(error);
      await this.status(false, (hint === undefined ? message : `${message}; ${hint}`).slice(0, maxReasonLength));
      // The pusher reads the reason only if it can say `done` after it.
      await readPushMessage(this.source);
      return undefined;
    }
  }

  private async receive(updates: ReadonlyMap<string, RefUpdate>): Promise<number> {
    const { stored, present, detached } = await this.server.objects(tarStream(this.source));
    this.say(1, `${stored} objects were stored, ${present} are here already`);
    await this.expect("done");
    await this.server.set(updates, detached);
    this.say(1, updates.size === 1 ? "the ref is set" : `${updates.size} refs are set`);
    await this.send("done", []);
    return 0;
  }

  private async status(result: boolean, message: string): Promise<void> {
    await this.send("status", [
      ["result", { type: "b", value: result }],
      ["message", { type: "s", value: message }],
    ]);
  }

  private async expect(...wanted: readonly PushMessageType[]): Promise<PushMessage> {
    const message = await readPushMessage(this.source);
    if (message === undefined)
      throw new StillageError("failed-precondition", "the connection ended before the push did");
    this.say(2, `received ${message.type}`);
    if (wanted.includes(message.type)) return message;
    throw new StillageError("invalid", `the pusher says ${message.type} where ${wanted.join(" or ")} is due`);
  }

  private async send(type: PushMessageType, args: Dictionary): Promise<void> {
    const { output } = this.streams;
    this.say(2, `sending ${type}`);
    const message = encodePushMessage({ type, args });
    await new Promise<void>((resolve, reject) => {
      output.write(message, (error) => (error ? reject(error) : resolve()));
    });
  }

  private say(verbosity: number, text: string): void {
    if (verbosity > this.options.verbosity) return;
    // Of a server elsewhere, and of a pusher: nothing of it may drive the terminal of who reads it.
    this.streams.errors.write(`${name}: ${text.replaceAll(/\p{Cc}/gu, " ")}\n`);
  }
}
