import { noAuth, noConnection } from "./configuration/remote-entry.ts";
import type { RemoteSpec } from "./remote-spec.ts";

/** A remote of which nothing but its URL is said. */
export function remoteAt(url: string, more: Partial<RemoteSpec> = {}): RemoteSpec {
  const plain = {
    name: url,
    url,
    type: "all",
    push: false,
    instanceName: "",
    auth: noAuth,
    connection: noConnection,
  } as const;
  return { ...plain, origin: "test", ...more };
}
