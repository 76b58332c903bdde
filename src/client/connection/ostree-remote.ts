import { openOstreeRemote } from "../ostree/open-ostree-remote.ts";
import type { OstreePlace } from "../ostree/ostree-place.ts";
import type { RemoteSpec } from "../remote-spec.ts";
import { type Answer, allowed, unasked } from "./answer.ts";
import type { RemotePlace } from "./remote-place.ts";

/** A cache of BuildStream 1.0 as a server that was asked what it speaks. Errors: those of `openOstreeRemote`. */
export async function openOstree(spec: RemoteSpec, signal: AbortSignal): Promise<RemotePlace> {
  const place = await openOstreeRemote(spec, { signal });
  const { name, index, blobs, commits, writable, notWritable } = place;
  const push = pushAnswer(spec, place);
  return {
    ...{ name, index, blobs, commits, writable, spec },
    protocols: [{ name: "OSTree", generation: "1.0", pull: allowed, push }],
    product: undefined,
    storage: undefined,
    certificateEnd: undefined,
    shortcomings:
      notWritable === undefined ? [] : [`nothing can be pushed there, though \`push\` is set: ${notWritable.message}`],
    roundTrip: (within) => place.roundTrip(within),
    [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
  };
}

function pushAnswer({ push }: RemoteSpec, { notWritable }: OstreePlace): Answer {
  if (!push) return unasked;
  return notWritable === undefined ? allowed : { kind: "refused", error: notWritable };
}
