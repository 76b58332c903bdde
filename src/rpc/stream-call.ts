import type { StillageError } from "../base/errors.ts";
import type { MaybePromise } from "../base/maybe-promise.ts";
import type { RequestHeaders } from "../http2/request-headers.ts";
import type { ServerStream } from "../http2/stream.ts";
import type { CallHost } from "./call-host.ts";
import type { Message } from "./message-memory.ts";
import type { Route } from "./router.ts";
import { ServerCall } from "./server-call.ts";
import type { CallStream, Reply, StreamHandler } from "./service.ts";

/** Responses that a stream may have waiting before `send` asks its handler to wait: a message, so that the next is made meanwhile. */
const sendAheadBytes = 1024 * 1024;

/** Somebody who waits. */
interface Waiting<T> {
  readonly promise: Promise<T>;
  resolve(value: T | PromiseLike<T>): void;
  reject(reason: StillageError): void;
}

const ignore = (): void => {};

/** A call in which messages come and go one by one. Its handler begins with the first message. */
export class StreamCall extends ServerCall implements CallStream {
  private readonly handle: StreamHandler;
  private readonly arrived: Message[] = [];
  /** What `receive` gave last. */
  private current: Message | undefined;
  private complete = false;
  private running = false;
  private receiver: Waiting<Uint8Array | undefined> | undefined;
  private sender: Waiting<void> | undefined;

  constructor(stream: ServerStream, headers: RequestHeaders, route: Route, handle: StreamHandler, host: CallHost) {
    super(stream, headers, route, host);
    this.handle = handle;
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
    this.arrived.push(message);
    this.proceed();
  }

  protected ended(): void {
    this.complete = true;
    this.proceed();
  }

  protected wake(reason: StillageError): void {
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
    if (!this.running) this.run();
    else if (receiver !== undefined) {
      this.receiver = undefined;
      const message = this.arrived.shift();
      receiver.resolve(message === undefined ? undefined : this.open(message));
    }
  }

  private run(): void {
    this.running = true;
    this.host.handlerStarted();
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

  /** A handler that throws before it gives a promise has failed like any other. */
  private async begin(): Promise<void> {
    await this.handle(this);
  }

  private settled(): void {
    this.host.handlerEnded();
    this.releaseCurrent();
    this.releaseArrived();
  }

  private open(message: Message): MaybePromise<Uint8Array> {
    this.current = message;
    this.reader.received(message.bytes.length);
    return this.plain(message);
  }

  private releaseCurrent(): void {
    if (this.current !== undefined) this.host.memory.release(this.current);
    this.current = undefined;
  }

  private releaseArrived(): void {
    for (const message of this.arrived) this.host.memory.release(message);
    this.arrived.length = 0;
  }
}
