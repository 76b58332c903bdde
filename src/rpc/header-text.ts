/** From the longest grpc-timeout that a client can state to what a number of milliseconds is. */
const millisecondsPerUnit: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/** The value of `grpc-timeout` in milliseconds: up to eight digits and a unit. `undefined` where it is none. */
export function parseTimeout(value: string): number | undefined {
  const unit = millisecondsPerUnit[value.slice(-1)];
  const digits = value.slice(0, -1);
  return unit === undefined || !/^\d{1,8}$/.test(digits) ? undefined : Number(digits) * unit;
}

/** Printable ASCII but "%"; all other bytes of a message's UTF-8 are percent-encoded. */
const printable = /^[ -$&-~]*$/;

/** A text as the value of `grpc-message` (PROTOCOL-HTTP2.md of gRPC, "Responses"). */
export function encodeMessage(text: string): string {
  if (printable.test(text)) return text;
  let encoded = "";
  for (const byte of Buffer.from(text)) {
    const character = String.fromCharCode(byte);
    encoded += printable.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}
