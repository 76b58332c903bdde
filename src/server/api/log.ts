import type { OpenText } from "../../artifact/open-text.ts";
import type { HttpResponse } from "../../http/exchange.ts";
import { BlobBody } from "../blob-body.ts";
import { commonHeaders } from "./problem.ts";

/** A log as text: no browser takes it for anything else, whatever a build has written. It is streamed, and the blob closed in the end. */
export function logResponse(log: OpenText, method: string, signal: AbortSignal): HttpResponse {
  const { size } = log;
  const headers = {
    ...commonHeaders,
    "content-type": "text/plain; charset=utf-8",
    "content-security-policy": "sandbox",
    "content-length": String(size),
  };
  if (method !== "HEAD" && size > 0) return { status: 200, headers, body: new BlobBody(log, 0, size, signal) };
  log.close();
  return { status: 200, headers };
}
