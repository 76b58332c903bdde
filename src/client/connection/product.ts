import type { Channel, PlainOptions } from "../../rpc/client/channel.ts";

/** A server's program, as far as it tells. */
export interface Product {
  readonly name: string;
  readonly version: string;
}

/** Bytes of the description of our API, in which the version stands: it has some ten thousand. */
const maxDescriptionBytes = 1 << 20;

const maxVersionLength = 100;

/** The name and version of a server that has our API (docs/API.md), and so its list of names; `undefined` for every other answer, and for none. */
export async function askProduct(
  channel: Channel,
  options: Omit<PlainOptions, "maxBytes">,
): Promise<Product | undefined> {
  try {
    const answer = await channel.get("/api/v1/openapi.json", { ...options, maxBytes: maxDescriptionBytes });
    if (answer.status !== 200 || answer.type !== "application/json") return undefined;
    const { info } = JSON.parse(Buffer.from(answer.body).toString()) as { info?: Readonly<Record<string, unknown>> };
    if (info?.title !== "Stillage" || typeof info.version !== "string") return undefined;
    return { name: info.title, version: info.version.slice(0, maxVersionLength) };
  } catch {
    // Servers of gRPC alone refuse it in many ways. If the connection is at fault, the calls beside this one say so.
    return undefined;
  }
}
