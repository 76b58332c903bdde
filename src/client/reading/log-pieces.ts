import type { LogFile } from "../../artifact/artifact-content.ts";
import { openText } from "../../artifact/open-text.ts";
import { StillageError } from "../../base/errors.ts";
import { shownArtifact } from "../meant-artifacts.ts";
import type { OpenArtifact } from "./open-artifact.ts";

const pieceBytes = 256 << 10;

/** The text of a log, a piece at a time. Errors: `not-found` where it is not there; those of the place. */
export async function* logPieces(
  { reader, artifact }: Pick<OpenArtifact, "reader" | "artifact">,
  log: LogFile,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const text = await openText(reader, log);
  if (text === undefined) {
    throw new StillageError(
      "not-found",
      `the log ${JSON.stringify(log.name)} of ${shownArtifact(artifact)} is missing`,
    );
  }
  try {
    for (let at = 0; at < text.size; ) {
      signal.throwIfAborted();
      const piece = new Uint8Array(Math.min(pieceBytes, text.size - at));
      await text.read(piece, at);
      at += piece.length;
      yield piece;
    }
  } finally {
    text.close();
  }
}
