import type { StillageError } from "../../base/errors.ts";
import { ConnectionError } from "../../rpc/client/connection-error.ts";
import { RpcError } from "../../rpc/client/rpc-error.ts";

/** What a system says of a host after it has waited for it. */
const late = new Set(["ETIMEDOUT", "EHOSTUNREACH", "EHOSTDOWN"]);

/** Whether a server kept somebody waiting to the end: that costs seconds each time, where what is refused or not trusted costs one way there and back. */
export function isSilence({ code, cause }: StillageError): boolean {
  if (code === "deadline") return true;
  const broken = cause instanceof RpcError ? cause.cause : undefined;
  if (!(broken instanceof ConnectionError)) return false;
  return broken.failure === "silent" || late.has((broken.cause as NodeJS.ErrnoException | undefined)?.code ?? "");
}
