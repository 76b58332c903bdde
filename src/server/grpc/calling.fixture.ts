import { openCallers } from "../../access/granted-caller.ts";
import type { Peer } from "../../base/peer.ts";
import type { Call, Service } from "../../rpc/service.ts";

const peer: Peer = {
  address: "127.0.0.1:1",
  host: "127.0.0.1",
  network: "127.0.0.1",
  push: true,
  local: true,
  tls: false,
  certificate: undefined,
};

/** What every call has, made where pushes are taken or not. */
export function visit({ push }: { readonly push: boolean }): Omit<Call, "method"> {
  return {
    peer: { ...peer, push },
    caller: push ? openCallers.pushing : openCallers.pulling,
    id: "id",
    instance: "",
    subject: "",
    found: 0,
    absent: 0,
    header: () => undefined,
    signal: new AbortController().signal,
  };
}

/** Calls a service's unary method as a listener does, and gives the response's bytes. The request's memory is used again afterwards. */
export async function callUnary(
  service: Service,
  name: string,
  request: Uint8Array,
  rights: { readonly push: boolean } = { push: true },
): Promise<Uint8Array> {
  const method = service.methods[name];
  if (method?.kind !== "unary") throw new Error(`${service.name} has no unary method ${name}`);
  const call: Call = { ...visit(rights), method: `${service.name}/${name}` };
  const pooled = Buffer.from(request);
  const { parts, sent } = await method.handle(pooled, call);
  const response = Buffer.concat(parts);
  sent?.();
  pooled.fill(0xff);
  return response;
}
