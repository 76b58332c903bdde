import type { CallObserver } from "../rpc/observer.ts";
import type { Call } from "../rpc/service.ts";

/** Several who hear of every call, as one. */
export function allOf([first, ...others]: readonly [CallObserver, ...CallObserver[]]): CallObserver {
  let all = first;
  for (const other of others) all = new Both(all, other);
  return all;
}

class Both implements CallObserver {
  private readonly first: CallObserver;
  private readonly second: CallObserver;

  constructor(first: CallObserver, second: CallObserver) {
    this.first = first;
    this.second = second;
  }

  started(call: Call): void {
    this.first.started(call);
    this.second.started(call);
  }

  finished(call: Call, status: number, message: string, requests: number, responses: number, ms: number): void {
    this.first.finished(call, status, message, requests, responses, ms);
    this.second.finished(call, status, message, requests, responses, ms);
  }
}
