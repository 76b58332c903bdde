import { StillageError } from "../base/errors.ts";
import { isPromise, type MaybePromise } from "../base/maybe-promise.ts";
import type { RequestHeaders } from "../http2/request-headers.ts";
import type { Lender, ServerStream } from "../http2/stream.ts";
import type { CallHost } from "./call-host.ts";
import type { Message } from "./message-memory.ts";
import type { Route } from "./router.ts";
import { ServerCall } from "./server-call.ts";
import type { Reply, UnaryHandler } from "./service.ts";

/** A call with one request message and one response. */
export class UnaryCall extends ServerCall implements Lender {
  private readonly handle: UnaryHandler;
  private request: Message | undefined;
  private reply: Reply | undefined;
  private running = false;

  constructor(stream: ServerStream, headers: RequestHeaders, route: Route, handle: UnaryHandler, host: CallHost) {
    super(stream, headers, route, host);
    this.handle = handle;
  }

  start(): void {
    if (this.decided) return;
    this.running = true;
    let result: MaybePromise<Reply>;
    try {
      const bytes = this.plain(this.request as Message);
      result = isPromise(bytes) ? bytes.then((plain) => this.handle(plain, this)) : this.handle(bytes, this);
    } catch (error) {
      this.fail(error);
      this.release();
      return;
    }
    if (!isPromise(result)) {
      this.answer(result);
      return;
    }
    this.host.handlerStarted();
    this.expectReply();
    result.then(
      (reply) => {
        this.host.handlerEnded();
        this.answer(reply);
        this.replyMade();
      },
      (error) => {
        this.host.handlerEnded();
        this.fail(error);
        this.release();
        this.replyMade();
      },
    );
  }

  /** The response has left, or never will. The request is kept until then: a reply may be a piece of it. */
  sent(): void {
    this.reply?.sent?.();
    this.release();
  }

  protected take(message: Message): void {
    if (this.request === undefined) this.request = message;
    else {
      this.host.memory.release(message);
      this.abandon(new StillageError("unsupported", "more than one message, where the method takes one"), true);
    }
  }

  protected ended(): void {
    if (this.request === undefined) {
      this.abandon(new StillageError("unsupported", "no message, where the method takes one"), true);
    } else this.startWithRoom();
  }

  protected wake(): void {
    if (this.running) return;
    this.host.letGo(this);
    this.release();
  }

  private answer(reply: Reply): void {
    this.reply = reply;
    if (this.decided) this.sent();
    else {
      this.sendMessage(reply.parts, this);
      this.succeed();
    }
  }

  private release(): void {
    if (this.request !== undefined) this.giveBack(this.request);
    this.request = undefined;
  }
}
