import type { Caller, Identify } from "../base/caller.ts";
import { type MaybePromise, then } from "../base/maybe-promise.ts";
import type { Peer } from "../base/peer.ts";
import type { HttpRequest } from "../http/exchange.ts";

/** A request that counts the bytes of its body. */
export class CountedRequest implements HttpRequest {
  received = 0;
  private readonly request: HttpRequest;

  constructor(request: HttpRequest) {
    this.request = request;
  }

  get method(): string {
    return this.request.method;
  }

  get path(): string {
    return this.request.path;
  }

  get query(): URLSearchParams {
    return this.request.query;
  }

  get headers(): HttpRequest["headers"] {
    return this.request.headers;
  }

  get peer(): Peer {
    return this.request.peer;
  }

  get identify(): Identify {
    return this.request.identify;
  }

  get caller(): Caller {
    return this.request.caller;
  }

  set caller(caller: Caller) {
    this.request.caller = caller;
  }

  get instance(): string {
    return this.request.instance;
  }

  set instance(instance: string) {
    this.request.instance = instance;
  }

  get signal(): AbortSignal {
    return this.request.signal;
  }

  receive(): MaybePromise<Uint8Array | undefined> {
    return then(this.request.receive(), (piece) => {
      this.received += piece?.length ?? 0;
      return piece;
    });
  }
}
