import { once } from "node:events";
import type { ClientRequest, IncomingMessage } from "node:http";
import { type ErrorCode, StillageError } from "../base/errors.ts";
import { proxyWantsUser } from "../base/proxy.ts";

/** Bytes of an answer: detached metadata makes the longest. */
const maxAnswerBytes = 4 << 20;

/** Bytes that are sent at a time: entries of an archive are small. */
const pieceBytes = 64 << 10;

/** How long a server may take, in milliseconds. */
export interface PostLimits {
  /** To take anything of what is sent. */
  readonly takeMs: number;
  /** To answer, once all is sent. */
  readonly answerMs: number;
}

/** A server that is to set refs looks at all that their commits need. */
const patience: PostLimits = { takeMs: 300_000, answerMs: 300_000 };

/** What the statuses are called that a caller may act on. */
const codes: Readonly<Record<number, ErrorCode>> = {
  401: "unauthenticated",
  403: "forbidden",
  404: "not-found",
  409: "aborted",
  503: "unavailable",
  507: "exhausted",
};

/**
 * Sends a request that was made, with its body, and gives what a server of ours answers. A stream is read to its end whatever the server says. `explain` makes an error for people
 * of what keeps the server from answering, which is ETIMEDOUT beyond the limits. Errors: that; what the server says, `failed-precondition` where its status has no code of its own; those of the
 * stream.
 */
export async function post(
  request: ClientRequest,
  body: Uint8Array | AsyncIterable<Uint8Array>,
  explain: (error: unknown) => StillageError,
  limits: PostLimits = patience,
): Promise<string> {
  // Settles once: with the answer, or with what keeps the server from giving one.
  const answered = answerOf(request).then(
    (text) => ({ text }),
    (error: unknown) => ({ error: error instanceof StillageError ? error : explain(error) }),
  );
  if (body instanceof Uint8Array) request.end(body);
  else await send(request, body, answered, limits.takeMs);
  // The request's own limit would not hold while it is connected.
  const timer = setTimeout(giveUp, limits.answerMs, request);
  const answer = await answered;
  clearTimeout(timer);
  if ("error" in answer) throw answer.error;
  return answer.text;
}

function giveUp(request: ClientRequest): void {
  request.destroy(Object.assign(new Error("it does not answer"), { code: "ETIMEDOUT" }));
}

/** Sends pieces, as long as there is no answer yet; reads all of them. */
async function send(
  request: ClientRequest,
  pieces: AsyncIterable<Uint8Array>,
  answered: Promise<unknown>,
  takeMs: number,
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
      const timer = setTimeout(giveUp, takeMs, request);
      await Promise.race([drained, answered]);
      clearTimeout(timer);
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
  // A proxy's own words are a page.
  if (response.statusCode === 407) {
    throw new StillageError("unauthenticated", "the proxy answers with status 407", { hint: proxyWantsUser });
  }
  const [message = "", hint] = text.trim().split("\n");
  const said =
    message === "" || message.startsWith("<") ? `the server answers with status ${response.statusCode}` : message;
  const code = codes[response.statusCode ?? 0] ?? "failed-precondition";
  throw new StillageError(code, said.slice(0, 1000), {
    ...(hint === undefined ? {} : { hint: hint.slice(0, 1000) }),
    // A server that is busy says when it is worth another try.
    ...(code === "unavailable" && { retryAfterMs: 1000 * (Number(response.headers["retry-after"]) || 1) }),
  });
}
