import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { StillageError } from "../base/errors.ts";
import { onBehalfHeader, secretPathOf } from "../base/receive-socket.ts";
import type { RefUpdate } from "./update.ts";

/** Where a running server is: at a Unix socket in its store's directory, or elsewhere. */
export type ServerPlace =
  | { readonly socket: string; readonly store: string | undefined }
  | { readonly url: URL; readonly token: string | undefined };

export interface CacheServerOptions {
  readonly place: ServerPlace;
  /** The instance name; may be empty. */
  readonly instance: string;
  /** Who pushes: honoured by the server's own socket alone. */
  readonly as: string | undefined;
}

/** What became of objects. */
export interface ReceivedObjects {
  readonly stored: number;
  readonly present: number;
  /** Detached metadata of commits, in Base64, for whoever names the commits. */
  readonly detached: Readonly<Record<string, string>>;
}

type Updates = ReadonlyMap<string, RefUpdate>;

/** Bytes of an answer: detached metadata makes the longest. */
const maxAnswerBytes = 4 << 20;

/** Bytes that are sent at a time: entries of an archive are small. */
const pieceBytes = 64 << 10;

/** How long a server may take to say anything about refs: it looks at all that their commits need. */
const answerMs = 300_000;

/** The server that keeps what is pushed, by HTTP (docs/OSTREE.md, "Pushing"). Errors: `unavailable` where it cannot be reached; what it says itself in its own words. */
export class CacheServer {
  private readonly options: CacheServerOptions;
  private secret: string | undefined;

  constructor(options: CacheServerOptions) {
    this.options = options;
  }

  /** Whether refs might be set, as far as that can be known before their objects are there. */
  async check(updates: Updates): Promise<void> {
    await this.post("refs", json({ check: true, refs: Object.fromEntries(updates) }));
  }

  /** Hands over a tar stream of objects, which is read to its end whatever the server says: only then the pusher listens. */
  async objects(tar: AsyncIterable<Uint8Array>): Promise<ReceivedObjects> {
    return JSON.parse(await this.post("objects", tar)) as ReceivedObjects;
  }

  /** Sets refs, all or none. */
  async set(updates: Updates, detached: ReceivedObjects["detached"]): Promise<void> {
    await this.post("refs", json({ refs: Object.fromEntries(updates), detached }));
  }

  private async post(what: "objects" | "refs", body: Uint8Array | AsyncIterable<Uint8Array>): Promise<string> {
    const secret = await this.shown().catch((error: unknown) => Promise.reject(this.explain(error)));
    const request = this.open(what, body, secret);
    // Settles once: with the answer, or with what keeps the server from giving one.
    const answered = answerOf(request).then(
      (text) => ({ text }),
      (error: unknown) => ({ error: this.explain(error) }),
    );
    if (body instanceof Uint8Array)
      request.setTimeout(answerMs, () => request.destroy(new Error("it does not answer"))).end(body);
    else await send(request, body, answered);
    const answer = await answered;
    if ("error" in answer) throw answer.error;
    return answer.text;
  }

  /** What the server is shown; `undefined`: nothing. Read once: who sends objects has asked before whether he may, and is not to be cut off by another server's start. */
  private async shown(): Promise<string | undefined> {
    const { place } = this.options;
    if (!("socket" in place)) return place.token;
    this.secret ??= await readFile(secretPathOf(place.socket), "utf8");
    return this.secret;
  }

  private open(what: string, body: object, secret: string | undefined): ClientRequest {
    const { place, instance, as } = this.options;
    const prefix = instance === "" ? "" : `${instance.split("/").map(encodeURIComponent).join("/")}/`;
    const headers = {
      "content-type": body instanceof Uint8Array ? "application/json" : "application/x-tar",
      ...(as === undefined ? {} : { [onBehalfHeader]: encodeURIComponent(as) }),
      ...(secret === undefined ? {} : { authorization: `Bearer ${secret}` }),
    };
    const path = `/ostree/${prefix}${what}`;
    if ("socket" in place) return httpRequest({ socketPath: place.socket, method: "POST", path, headers });
    const { url } = place;
    const target = new URL(`${url.pathname.replace(/\/$/, "")}${path}`, url);
    const options = { method: "POST", headers };
    return url.protocol === "https:" ? httpsRequest(target, options) : httpRequest(target, options);
  }

  /** What a user can make of it that the server could not be asked, or broke off. */
  private explain(error: unknown): StillageError {
    if (error instanceof StillageError) return error;
    const { place } = this.options;
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code ?? message;
    if (!("socket" in place)) {
      return new StillageError("unavailable", `the cache server at ${place.url.origin} cannot be reached (${why})`, {
        cause: error,
      });
    }
    const whose = place.store ?? place.socket;
    if (code === "ENOENT" || code === "ECONNREFUSED") {
      return new StillageError(
        "unavailable",
        `no server is running on the store in ${whose} (${place.socket}: ${code})`,
        {
          cause: error,
          hint: "start `stillage serve` there first",
        },
      );
    }
    if (code === "EACCES" || code === "EPERM") {
      return new StillageError(
        "unavailable",
        `the server of the store in ${whose} is another user's (${place.socket}: ${code})`,
        {
          cause: error,
          hint: "log in as the user that the server runs as",
        },
      );
    }
    return new StillageError("unavailable", `the server of the store in ${whose} does not answer (${why})`, {
      cause: error,
    });
  }
}

/** Sends pieces, as long as there is no answer yet; reads all of them. */
async function send(
  request: ClientRequest,
  pieces: AsyncIterable<Uint8Array>,
  answered: Promise<unknown>,
): Promise<void> {
  let over = false;
  void answered.then(() => {
    over = true;
  });
  try {
    for await (const piece of together(pieces)) {
      if (over || request.write(piece)) continue;
      const waiting = new AbortController();
      const drained = once(request, "drain", { signal: waiting.signal }).catch(() => {});
      await Promise.race([drained, answered]);
      waiting.abort();
    }
  } catch (error) {
    // What breaks off must not look like the end of the archive.
    request.destroy();
    throw error;
  }
  request.end();
}

/** Small pieces put together, in buffers of their own. */
async function* together(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let buffer = Buffer.allocUnsafeSlow(pieceBytes);
  let filled = 0;
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      const part = piece.subarray(at, at + pieceBytes - filled);
      buffer.set(part, filled);
      at += part.length;
      filled += part.length;
      if (filled < pieceBytes) continue;
      yield buffer;
      [buffer, filled] = [Buffer.allocUnsafeSlow(pieceBytes), 0];
    }
  }
  if (filled > 0) yield buffer.subarray(0, filled);
}

/** Errors: what the server says, in its words; what keeps it from saying anything. */
async function answerOf(request: ClientRequest): Promise<string> {
  request.on("error", () => {}); // the first one is told below; more may follow
  const [response] = (await once(request, "response")) as [IncomingMessage];
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > maxAnswerBytes) throw new Error("its answer is too long");
    pieces.push(piece);
  }
  const text = Buffer.concat(pieces).toString();
  if (response.statusCode === 200) return text;
  const [message = "", hint] = text.trim().split("\n");
  const said =
    message === "" || message.startsWith("<") ? `the server answers with status ${response.statusCode}` : message;
  throw new StillageError(
    "failed-precondition",
    said.slice(0, 1000),
    hint === undefined ? {} : { hint: hint.slice(0, 1000) },
  );
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
