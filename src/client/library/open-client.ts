import type { ClientOptions } from "./client-options.ts";
import type { StillageClient } from "./stillage-client.ts";

/**
 * Reads the configuration as `stillage` would, and gives a client that works with it. Nothing is connected to before it is wanted. Errors: `invalid` with all that is wrong with the
 * configuration among `violations`.
 */
export async function openClient(options: ClientOptions = {}): Promise<StillageClient> {
  // Whoever only imports the library does not load it all.
  const { StillageClient: Client } = await import("./stillage-client.ts");
  return new Client(options);
}
