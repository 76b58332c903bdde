import type { RemoteSpec } from "../remote-spec.ts";
import type { RemoteProtocol } from "./remote-place.ts";

/** What the configuration asks of a server that it does not do, a sentence each. */
export function shortcomingsOf(spec: RemoteSpec, protocols: readonly RemoteProtocol[]): string[] {
  const found: string[] = [];
  const [names, blobs] = parts(protocols);
  const reason = (of: readonly RemoteProtocol[], right: "pull" | "push"): string | undefined => {
    const why = firstReason(of, right);
    return why?.startsWith(`${spec.name}: `) ? why.slice(spec.name.length + 2) : why;
  };
  if (spec.type !== "storage" && !names.some(isPulled)) {
    found.push(
      `it has no names of artifacts for us: ${reason(names, "pull") ?? "none of the services for that is there"}`,
    );
  }
  if (spec.type !== "index" && !blobs.some(isPulled)) {
    found.push(`it has no blobs for us: ${reason(blobs, "pull") ?? "the service for that is not there"}`);
  }
  if (spec.push && !mayPush(spec, protocols)) {
    const why = reason(names, "push") ?? reason(blobs, "push") ?? "the services for that are not there";
    found.push(`nothing can be pushed there, though \`push\` is set: ${why}`);
  }
  return found;
}

/** Whether a server of this type takes what is pushed, as far as it says. */
export function mayPush({ type }: RemoteSpec, protocols: readonly RemoteProtocol[]): boolean {
  const [names, blobs] = parts(protocols);
  const named = type === "storage" || names.some(({ push }) => push.kind === "allowed");
  // Of a storage without batches nothing is known before it is tried.
  const stored = type === "index" || blobs.some(({ push }) => push.kind === "allowed" || push.kind === "unasked");
  return named && stored;
}

const isPulled = ({ pull }: RemoteProtocol): boolean => pull.kind === "allowed";

function parts(protocols: readonly RemoteProtocol[]): [names: RemoteProtocol[], blobs: RemoteProtocol[]] {
  return [
    protocols.filter(({ generation }) => generation !== undefined),
    protocols.filter(({ generation }) => generation === undefined),
  ];
}

/** The first error among the answers to what was asked for. */
function firstReason(protocols: readonly RemoteProtocol[], right: "pull" | "push"): string | undefined {
  for (const protocol of protocols) {
    const answer = protocol[right];
    if (answer.kind === "refused" || answer.kind === "failed") return answer.error.message;
  }
  return undefined;
}
