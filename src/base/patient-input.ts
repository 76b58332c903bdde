import { StillageError } from "./errors.ts";

/** How long somebody may say nothing while he is listened to: as long as an HTTP connection may be silent. */
const silentMs = 300_000;

/** What comes from somebody, a pusher unless it is said, who may not keep us waiting for ever. Errors: `deadline`, and the input's. */
export async function* patientInput(
  input: AsyncIterable<Uint8Array>,
  patienceMs: number = silentMs,
  who = "the pusher",
): AsyncGenerator<Uint8Array> {
  const pieces = input[Symbol.asyncIterator]();
  for (;;) {
    const { promise: tooLong, reject } = Promise.withResolvers<never>();
    const error = new StillageError("deadline", `${who} has said nothing for ${patienceMs / 1000} s`);
    const timer = setTimeout(reject, patienceMs, error);
    try {
      const { value, done } = await Promise.race([pieces.next(), tooLong]);
      if (done) return;
      clearTimeout(timer);
      yield value;
    } finally {
      clearTimeout(timer);
    }
  }
}
