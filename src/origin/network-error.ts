import { StillageError } from "../base/errors.ts";
import type { OriginUrl } from "./origin-url.ts";

/** What the network says of a connection, in our words. */
export function fromNetwork(error: unknown, at: OriginUrl, signal: AbortSignal): StillageError {
  if (signal.aborted && signal.reason instanceof StillageError) return signal.reason;
  if (error instanceof StillageError) return error;
  const { code = "", message } = error as NodeJS.ErrnoException;
  const which = `${at.host}:${at.port}`;
  if (code.startsWith("HPE_"))
    return new StillageError("aborted", `${which} does not speak HTTP (${code})`, { cause: error });
  if (
    code.startsWith("ERR_TLS_") ||
    code.startsWith("CERT_") ||
    code.startsWith("ERR_SSL_") ||
    /CERT|SIGNATURE|ISSUER/.test(code)
  ) {
    return new StillageError("forbidden", `${which} cannot prove who it is (${code})`, { cause: error });
  }
  return new StillageError("unavailable", `the connection to ${which} failed (${code || message})`, { cause: error });
}
