import { STATUS_CODES } from "node:http";
import type { StillageError } from "../../base/errors.ts";
import type { HttpResponse } from "../../http/exchange.ts";
import { headersOf, statusOfCode } from "../http-status.ts";
import { ParameterError } from "./parameter.ts";

/** An error as RFC 9457 has it, in a problem document. */
export interface Problem {
  readonly type: "about:blank";
  /** The phrase of the status. */
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** What the request is called in the logs. */
  readonly request: string;
  /** What can be done about it. */
  readonly hint?: string;
  /** What was wrong of the request. */
  readonly parameter?: string;
}

export function problem(
  status: number,
  detail: string,
  request: string,
  more: Pick<Problem, "hint" | "parameter"> = {},
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  const body: Problem = {
    type: "about:blank",
    title: STATUS_CODES[status] ?? "Error",
    status,
    detail,
    request,
    ...more,
  };
  return json(status, body, { "content-type": "application/problem+json", ...headers });
}

export function problemOf(error: StillageError, request: string): HttpResponse {
  const { message, hint } = error;
  const more = {
    ...(hint === undefined ? {} : { hint }),
    ...(error instanceof ParameterError ? { parameter: error.parameter } : {}),
  };
  return problem(statusOfCode(error.code), message, request, more, headersOf(error));
}

/** What every response of the API says: it is for this client, now, and is what it says it is. */
export const commonHeaders = { "cache-control": "no-store", "x-content-type-options": "nosniff" };

export function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): HttpResponse {
  return {
    status,
    headers: { ...commonHeaders, "content-type": "application/json", ...headers },
    body: Buffer.from(`${JSON.stringify(value)}\n`),
  };
}
