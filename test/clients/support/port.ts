import { once } from "node:events";
import { connect, createServer, type NetConnectOpts } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

const startUpMs = 20_000;
const betweenTriesMs = 20;

/** A loopback port that nothing listens at. */
export async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

/** Resolves when something listens there: of some programs there is no other sign that they are up. */
export async function accepting(place: NetConnectOpts): Promise<void> {
  const deadline = AbortSignal.timeout(startUpMs);
  for (;;) {
    const tried = connect(place);
    try {
      await once(tried, "connect");
      return;
    } catch {
      await delay(betweenTriesMs, undefined, { signal: deadline });
    } finally {
      tried.destroy();
    }
  }
}
