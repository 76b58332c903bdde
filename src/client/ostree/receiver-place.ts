import { StillageError } from "../../base/errors.ts";
import { Slots } from "../../cache/slots.ts";
import { parseSshUrl } from "../../ssh/push-destination.ts";
import { SshConnection } from "../../ssh/ssh-connection.ts";
import type { RemoteSpec } from "../remote-spec.ts";
import type { OstreePlace } from "./ostree-place.ts";
import type { Push } from "./push-commit.ts";
import { Receiver } from "./receiver.ts";
import { readFromWeb } from "./web-place.ts";
import { findWebRepository } from "./web-repository.ts";

/** A host that cannot be reached is given up soon, and one that is gone is noticed. */
const sshOptions = ["ConnectTimeout=5", "ServerAliveInterval=5", "ServerAliveCountMax=3"].flatMap((each) => [
  "-o",
  each,
]);

/** Sessions over one connection: sshd takes ten unless it is told otherwise (`MaxSessions`). */
const maxSessions = 4;

/** A repository into which one pushes over ssh, and which is pulled from where the receiver says. Errors: as of `openOstreeRemote`. */
export async function openReceiverPlace(spec: RemoteSpec, signal: AbortSignal): Promise<OstreePlace> {
  const destination = parseSshUrl(spec.url);
  await using opened = new AsyncDisposableStack();
  const connection = opened.use(await SshConnection.open(destination, { options: sshOptions, signal, quiet: true }));
  const receiver = new Receiver(connection, destination.host, destination.path);
  const url = await receiver.pullUrl(signal);
  if (!/^https?:\/\//.test(url)) {
    const shown = JSON.stringify(url.slice(0, 200));
    throw new StillageError(
      "failed-precondition",
      `${spec.name} says that one pulls from ${shown}, which is no http(s) URL`,
    );
  }
  const repository = await findWebRepository(spec, url, signal);
  opened.defer(() => repository.source.close());
  const sessions = new Slots(maxSessions);
  const push: Push = (...pushed) => sessions.run(() => receiver.push(...pushed));
  const place = readFromWeb(spec, repository, spec.push ? push : undefined, undefined);
  const parts = opened.move();
  return { ...place, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}
