import { randomBytes } from "node:crypto";

/** What a client may call its request: a UUID fits, and what proxies make. It stands in logs, headers and messages as it is. */
const sane = /^[\w.:/+=@-]{1,128}$/;

/** Bytes by which the ids of one process differ from those of another. */
const prefixBytes = 5;

/** Names requests, so that what a client was told is found in the logs. */
export class RequestIds {
  private readonly prefix: string;
  private count = 0;

  constructor(prefix: string = randomBytes(prefixBytes).toString("hex")) {
    this.prefix = prefix;
  }

  /** What the client calls the request, where that is fit to be shown, or else a name that no other request has. */
  of(given: string | undefined): string {
    if (given !== undefined && sane.test(given)) return given;
    this.count++;
    return `${this.prefix}-${this.count.toString(36)}`;
  }
}

/** The header by which clients and proxies bring a request's id, and by which errors tell it. */
export const requestIdHeader = "x-request-id";
