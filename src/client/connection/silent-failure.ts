import type { StillageError } from "../../base/errors.ts";
import { ConnectionError } from "../../rpc/client/connection-error.ts";
import { RpcError } from "../../rpc/client/rpc-error.ts";

/** What a system says of a host after it has waited for it. */
const late = new Set(["ETIMEDOUT", "EHOSTUNREACH", "EHOSTDOWN"]);

/** Whether a server kept somebody waiting to the end: that costs seconds each time, where what is refused or not trusted costs one way there and back. */
export function isSilence(error: StillageError): boolean {
  if (error.code === "deadline") return true;
  const broken = brokenConnection(error);
  if (broken === undefined) return false;
  return broken.failure === "silent" || late.has((broken.cause as NodeJS.ErrnoException | undefined)?.code ?? "");
}

/** The same of a server that had answered before: then it was waited for also where its connection broke or was refused. */
export function isGone(error: StillageError): boolean {
  return error.code === "deadline" || brokenConnection(error) !== undefined;
}

export function brokenConnection({ cause }: StillageError): ConnectionError | undefined {
  return cause instanceof RpcError && cause.cause instanceof ConnectionError ? cause.cause : undefined;
}
