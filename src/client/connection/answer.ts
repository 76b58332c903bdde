import type { StillageError } from "../../base/errors.ts";
import type { RpcError } from "../../rpc/client/rpc-error.ts";
import { grpcStatus } from "../../rpc/status.ts";

/** Whether a server does something, and for us. */
export type Answer =
  | { readonly kind: "allowed" }
  /** It does that, and not for us. */
  | { readonly kind: "refused"; readonly error: StillageError }
  /** It does not do that at all. */
  | { readonly kind: "absent" }
  /** It did not say. */
  | { readonly kind: "failed"; readonly error: StillageError }
  | { readonly kind: "unasked" };

export const allowed: Answer = { kind: "allowed" };
export const absent: Answer = { kind: "absent" };
export const unasked: Answer = { kind: "unasked" };

/** Gives the error of a call as one of ours. */
export type Translate = (error: RpcError) => Promise<StillageError>;

/**
 * What it means how a call ended that asked for nothing; `undefined` is OK. A server that would do it says that something is missing in the call, so INVALID_ARGUMENT is as
 * good, and is what BuildStream's clients expect. But of an instance that was `named`, BuildStream's own servers say so, too: they have none.
 */
export async function answerOf(outcome: RpcError | undefined, named: boolean, translate: Translate): Promise<Answer> {
  if (outcome === undefined) return allowed;
  const { code, message } = outcome;
  if (code === grpcStatus.invalidArgument && !(named && /instance/i.test(message))) return allowed;
  if (code === grpcStatus.unimplemented) return absent;
  const refused = code === grpcStatus.permissionDenied || code === grpcStatus.unauthenticated;
  return { kind: refused ? "refused" : "failed", error: await translate(outcome) };
}
