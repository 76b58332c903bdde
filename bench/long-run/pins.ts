import { openEndpoint } from "../../test/conformance/support/endpoint.ts";
import { pullOne } from "./afterwards.ts";
import { push } from "./client.ts";
import { build } from "./element.ts";
import type { Program } from "./program.ts";
import type { Tally } from "./tally.ts";

/** Artifacts of elements that nobody wants otherwise. */
const first = 1_000_000;
const count = 5;

/** Pushes some artifacts and pins them beside the running server. */
export async function pinSome(address: string, stillage: Program, store: string): Promise<void> {
  const endpoint = openEndpoint(`grpc://${address}`);
  try {
    for (let element = first; element < first + count; element++) {
      const built = build(element, 0);
      await push(endpoint, built);
      const name = (built.uris[0] as string).split(":").at(-1) as string;
      await stillage("pin", name, "--store", store);
    }
  } finally {
    await endpoint.channel.close();
  }
}

/** How many of them are there, of how many. */
export async function pinsThere(
  address: string,
  tally: Tally,
): Promise<{ readonly there: number; readonly of: number }> {
  const endpoint = openEndpoint(`grpc://${address}`);
  let there = 0;
  try {
    for (let element = first; element < first + count; element++) {
      if (await pullOne(endpoint, element, 0, tally)) there++;
      else tally.violation(`a pinned artifact is gone: element ${element}`);
    }
  } finally {
    await endpoint.channel.close();
  }
  return { there, of: count };
}
