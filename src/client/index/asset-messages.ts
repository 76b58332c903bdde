import { int, MessageType, message, messages, text, texts } from "../../base/message.ts";
import { digestMessage } from "../../cache/artifact-message.ts";

const asset = "build.bazel.remote.asset.v1";

/** A FetchBlobRequest or FetchDirectoryRequest, which are the same. */
export const fetchRequest = new MessageType(`${asset}.FetchBlobRequest`, { instanceName: text(1), uris: texts(4) });

/** What google.rpc.Status says without its details. */
const status = new MessageType("google.rpc.Status", { code: int(1), message: text(2) });

/** The answer to either. */
export const fetchResponse = new MessageType(`${asset}.FetchBlobResponse`, {
  status: message(1, status),
  uri: text(2),
  digest: message(5, digestMessage),
});

/** A PushBlobRequest or PushDirectoryRequest. */
export const pushRequest = new MessageType(`${asset}.PushBlobRequest`, {
  instanceName: text(1),
  uris: texts(2),
  digest: message(5, digestMessage),
  referencesBlobs: messages(6, digestMessage),
  referencesDirectories: messages(7, digestMessage),
});
