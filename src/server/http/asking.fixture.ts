import { openCallers } from "../../access/granted-caller.ts";
import type { Caller } from "../../base/caller.ts";
import type { Peer } from "../../base/peer.ts";
import type { HttpHandler, HttpRequest } from "../../http/exchange.ts";

export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly caller?: Caller;
  readonly peer?: Peer;
}

export interface Told {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** The other end of a new connection. */
export function newPeer(host = "127.0.0.1"): Peer {
  const rest = { local: true, push: true, tls: false, certificate: undefined };
  return { address: `${host}:1`, host, network: host, ...rest };
}

/** Asks a handler, and reads the whole answer. */
export async function ask(handler: HttpHandler, target: string, asked: Asked = {}): Promise<Told> {
  const { method = "GET", headers = {}, caller = openCallers.pushing, peer = newPeer() } = asked;
  const [path = "", query = ""] = target.split("?");
  const request: HttpRequest = {
    ...{ id: "id", method, path, query: new URLSearchParams(query), headers, peer, caller, identify: () => caller },
    ...{ instance: "", route: "", received: 0, receive: () => undefined, signal: new AbortController().signal },
  };
  const response = await handler(request);
  const pieces: Uint8Array[] = [];
  if (response.body instanceof Uint8Array) pieces.push(response.body);
  else if (response.body !== undefined) for await (const piece of response.body) pieces.push(new Uint8Array(piece));
  return { status: response.status, headers: response.headers, body: Buffer.concat(pieces) };
}
