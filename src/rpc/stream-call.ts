import { StillageError } from "../base/errors.ts";
import type { MaybePromise } from "../base/maybe-promise.ts";
import type { RequestHeaders } from "../http2/request-headers.ts";
import type { ServerStream } from "../http2/stream.ts";
import type { CallHost } from "./call-host.ts";
import type { Message } from "./message-memory.ts";
import type { Route } from "./router.ts";
import { ServerCall } from "./server-call.ts";
import type { CallStream, Reply, StreamMethod } from "./service.ts";

/** Responses that a stream may have waiting before `send` asks its handler to wait: a message, so that the next is made meanwhile. */
const sendAheadBytes = 1024 * 1024;

/**
 * Messages that may wait to be received. Flow control asks a client to stop long before, but the shortest fit a window in tens of
 * thousands, and each is an object.
 */
const maxArrived = 16 * 1024;

/** Somebody who waits. */
interface Waiting<T> {
  readonly promise: Promise<T>;
  resolve(value: T | PromiseLike<T>): void;
  reject(reason: StillageError): void;
}

const ignore = (): void => {};

/** A call in which messages come and go one by one. Its handler begins with the first message. */
export class StreamCall extends ServerCall implements CallStream {
  private readonly served: StreamMethod;
  private readonly arrived: Message[] = [];
  /** What `receive` gave last. */
  private current: Message | undefined;
  private complete = false;
  /** The first message has come, or none will: the handler runs, or waits to be started. */
  private begun = false;
  private receiver: Waiting<Uint8Array | undefined> | undefined;
  private sender: Waiting<void> | undefined;

  constructor(stream: ServerStream, headers: RequestHeaders, route: Route, served: StreamMethod, host: CallHost) {
    super(stream, headers, route, host);
    this.served = served;
  }

  start(): void {
    this.host.handlerStarted();
    this.expectReply();
    this.begin().then(
      () => {
        this.settled();
        this.succeed();
      },
      (error) => {
        this.settled();
        this.fail(error);
      },
    );
  }

  receive(): MaybePromise<Uint8Array | undefined> {
    this.releaseCurrent();
    if (this.abandoned !== undefined) throw this.abandoned;
    const message = this.arrived.shift();
    if (message !== undefined) return this.open(message);
    if (this.complete) return undefined;
    this.receiver = Promise.withResolvers();
    return this.receiver.promise;
  }

  send(reply: Reply): MaybePromise<void> {
    if (this.abandoned !== undefined) {
      reply.sent?.();
      throw this.abandoned;
    }
    this.sendMessage(reply.parts, reply);
    this.replyMade();
    const ahead = this.host.saturated ? 0 : sendAheadBytes;
    if (this.stream.queued <= ahead) return undefined;
    this.stream.wakeAt(ahead / 2);
    this.sender ??= Promise.withResolvers();
    return this.sender.promise;
  }

  override drained(): void {
    const { sender } = this;
    this.sender = undefined;
    sender?.resolve();
  }

  protected take(message: Message): void {
    if (this.begun && this.served.oneRequest === true) {
      this.refuseMessage(
        message,
        new StillageError("unsupported", "more than one message, where the method takes one"),
      );
    } else if (this.arrived.length === maxArrived) {
      this.refuseMessage(
        message,
        new StillageError("exhausted", `more than ${maxArrived} messages that were not received yet`),
      );
    } else {
      this.arrived.push(message);
      this.proceed();
    }
  }

  protected ended(): void {
    this.complete = true;
    this.proceed();
  }

  protected wake(reason: StillageError): void {
    this.host.letGo(this);
    this.releaseArrived();
    const { receiver, sender } = this;
    this.receiver = undefined;
    this.sender = undefined;
    receiver?.reject(reason);
    // A handler may be waiting for something else.
    sender?.promise.catch(ignore);
    sender?.reject(reason);
  }

  /** Something has come: the handler begins, or goes on. */
  private proceed(): void {
    const { receiver } = this;
    if (!this.begun) {
      this.begun = true;
      this.startWithRoom();
    } else if (receiver !== undefined) {
      this.receiver = undefined;
      const message = this.arrived.shift();
      receiver.resolve(message === undefined ? undefined : this.open(message));
    }
  }

  /** A handler that throws before it gives a promise has failed like any other. */
  private async begin(): Promise<void> {
    await this.served.handle(this);
  }

  private settled(): void {
    this.host.handlerEnded();
    this.releaseCurrent();
    this.releaseArrived();
    this.replyMade();
  }

  private refuseMessage(message: Message, error: StillageError): void {
    this.host.memory.release(message);
    this.abandon(error, true);
  }

  private open(message: Message): MaybePromise<Uint8Array> {
    this.current = message;
    this.reader.received(message.bytes.length);
    return this.plain(message);
  }

  private releaseCurrent(): void {
    if (this.current !== undefined) this.giveBack(this.current);
    this.current = undefined;
  }

  private releaseArrived(): void {
    for (const message of this.arrived) this.host.memory.release(message);
    this.arrived.length = 0;
  }
}
