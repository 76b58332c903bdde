import {
  create,
  type DescMessage,
  type DescMethodStreaming,
  type DescMethodUnary,
  type DescService,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import type { ClientCall } from "./call.ts";
import type { CallOptions, Channel } from "./channel.ts";

/** A streaming call whose messages are those of a generated service. */
export interface TypedCall<I extends DescMessage, O extends DescMessage> extends AsyncIterable<MessageShape<O>> {
  /** See ClientCall. */
  send(message: MessageInitShape<I>): Promise<boolean>;
  receive(): Promise<MessageShape<O> | undefined>;
  halfClose(): void;
  cancel(): void;
}

/** The methods of a generated service, ready to call. */
export type Client<S extends DescService> = {
  [M in keyof S["method"]]: S["method"][M] extends DescMethodUnary<infer I, infer O>
    ? (request: MessageInitShape<I>, options?: CallOptions) => Promise<MessageShape<O>>
    : S["method"][M] extends DescMethodStreaming<infer I, infer O>
      ? (options?: CallOptions) => TypedCall<I, O>
      : never;
};

/** Makes the methods of `service` callable over `channel`. */
export function client<S extends DescService>(channel: Channel, service: S): Client<S> {
  const methods = service.methods.map((method) => {
    const path = `${service.typeName}/${method.name}`;
    const { input, output } = method;
    const unary = async (request: MessageInitShape<DescMessage>, options?: CallOptions) =>
      fromBinary(output, await channel.unary(path, toBinary(input, create(input, request)), options));
    const streaming = (options?: CallOptions) => typed(channel.open(path, options), input, output);
    return [method.localName, method.methodKind === "unary" ? unary : streaming];
  });
  return Object.fromEntries(methods) as Client<S>;
}

function typed(call: ClientCall, input: DescMessage, output: DescMessage): TypedCall<DescMessage, DescMessage> {
  const receive = async () => {
    const bytes = await call.receive();
    return bytes === undefined ? undefined : fromBinary(output, bytes);
  };
  return {
    receive,
    send: (message) => call.send(toBinary(input, create(input, message))),
    halfClose: () => call.halfClose(),
    cancel: () => call.cancel(),
    async *[Symbol.asyncIterator]() {
      for (let message = await receive(); message !== undefined; message = await receive()) yield message;
    },
  };
}
