import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { StillageError } from "./errors.ts";

/** A message from outside as a value. Errors: `invalid` for bytes that are no such message. */
export function decode<Desc extends DescMessage>(schema: Desc, bytes: Uint8Array): MessageShape<Desc> {
  try {
    return fromBinary(schema, bytes);
  } catch (error) {
    throw new StillageError("invalid", `the bytes are no ${schema.typeName}`, { cause: error });
  }
}
