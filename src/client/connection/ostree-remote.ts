import { openOstreeRemote } from "../ostree/open-ostree-remote.ts";
import type { OstreePlace } from "../ostree/ostree-place.ts";
import type { RemoteSpec } from "../remote-spec.ts";
import { type Answer, allowed, unasked } from "./answer.ts";
import type { RemotePlace } from "./remote-place.ts";

/** A cache of BuildStream 1.0 as a server that was asked what it speaks, and with `askPush` whether it takes pushes. Errors: those of `openOstreeRemote`. */
export async function openOstree(spec: RemoteSpec, askPush: boolean, signal: AbortSignal): Promise<RemotePlace> {
  const place = await openOstreeRemote({ ...spec, push: askPush }, { signal });
  const { name, index, blobs, commits, writable, notWritable } = place;
  const push = askPush ? pushAnswer(place) : unasked;
  return {
    ...{ name, index, blobs, commits, writable, spec },
    protocols: [{ name: "OSTree", generation: "1.0", pull: allowed, push }],
    product: undefined,
    storage: undefined,
    certificateEnd: undefined,
    shortcomings:
      notWritable === undefined || !spec.push
        ? []
        : [`nothing can be pushed there, though \`push\` is set: ${notWritable.message}`],
    roundTrip: (within) => place.roundTrip(within),
    [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
  };
}

function pushAnswer({ notWritable }: OstreePlace): Answer {
  return notWritable === undefined ? allowed : { kind: "refused", error: notWritable };
}
