import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";

/** The fields of a message as a plain object, which can be spread into another. */
export type Init<S extends DescMessage> = Exclude<MessageInitShape<S>, MessageShape<S>>;
