import { type Endpoint, openEndpoint } from "../../test/conformance/support/endpoint.ts";
import { find, pull } from "./client.ts";
import { urisOf } from "./element.ts";
import type { Ledger } from "./ledger.ts";
import type { Tally } from "./tally.ts";

/** What a look at everything that was ever acknowledged came to, in artifacts. */
export interface Found {
  /** There, and every byte of them is right. */
  readonly whole: number;
  /** Expired. */
  readonly gone: number;
}

/**
 * Pulls every artifact that was ever acknowledged and is still there, and compares each byte. What was used within the lease, in the server's last life, has to be
 * there.
 */
export async function pullAll(address: string, ledger: Ledger, leaseMs: number, tally: Tally): Promise<Found> {
  const endpoint = openEndpoint(`grpc://${address}`);
  let [whole, gone] = [0, 0];
  try {
    const ended = Date.now();
    for (const { element, version, used, life, gone: known } of ledger.all()) {
      const there = await pullOne(endpoint, element, version, tally);
      if (there) whole++;
      else gone++;
      const leased = !known && life === ledger.life && ended - used < leaseMs / 2;
      if (!there && leased) tally.violation(`lost at the end: ${element}/${version}`);
    }
  } finally {
    await endpoint.channel.close();
  }
  return { whole, gone };
}

/** False where it is not there; half of one is a violation. */
export async function pullOne(endpoint: Endpoint, element: number, version: number, tally: Tally): Promise<boolean> {
  const digest = await find(endpoint, urisOf(element, version)[0] as string);
  if (digest === undefined) return false;
  const problem = await pull(endpoint, digest, tally);
  if (problem !== undefined) tally.violation(`half an artifact at the end: ${element}/${version}: ${problem}`);
  return true;
}
