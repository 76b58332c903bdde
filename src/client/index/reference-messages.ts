import { MessageType, message, text, texts } from "../../base/message.ts";
import { digestMessage } from "../../cache/artifact-message.ts";

const storage = "buildstream.v2";

export const getReferenceRequest = new MessageType(`${storage}.GetReferenceRequest`, {
  instanceName: text(1),
  key: text(2),
});

export const getReferenceResponse = new MessageType(`${storage}.GetReferenceResponse`, {
  digest: message(1, digestMessage),
});

export const updateReferenceRequest = new MessageType(`${storage}.UpdateReferenceRequest`, {
  instanceName: text(1),
  keys: texts(2),
  digest: message(3, digestMessage),
});
