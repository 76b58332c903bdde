import * as grpc from "@grpc/grpc-js";
import type { Channel } from "../../rpc/client/channel.ts";
import { openChannel } from "../connection/channel.ts";
import { RemoteCalls } from "../connection/remote-calls.ts";
import { remoteAt } from "../remote-spec.fixture.ts";
import type { RemoteSpec } from "../remote-spec.ts";

/** What a method answers to the bytes of a request. Throws `refusal(…)` for a status. */
export type Answers = Readonly<Record<string, (request: Buffer) => Uint8Array>>;

/** The error with which a method ends the call by a status of `grpc.status`. */
export function refusal(code: number, details = "because"): object {
  return Object.assign(new Error(details), { code, details });
}

export interface AnsweringServer extends AsyncDisposable {
  readonly spec: RemoteSpec;
  readonly channel: Channel;
  readonly calls: RemoteCalls;
}

/** A server with the methods `package.Service/Method`, and calls to it that are tried once. Whatever it has not is UNIMPLEMENTED. */
export async function startAnswering(answers: Answers): Promise<AnsweringServer> {
  const server = new grpc.Server();
  for (const [method, answer] of Object.entries(answers)) {
    const same = (bytes: Buffer): Buffer => bytes;
    const codec = {
      requestSerialize: same,
      requestDeserialize: same,
      responseSerialize: same,
      responseDeserialize: same,
    };
    const definition = { path: `/${method}`, requestStream: false, responseStream: false, ...codec };
    const handle = ({ request }: grpc.ServerUnaryCall<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>): void => {
      try {
        done(null, Buffer.from(answer(request)));
      } catch (error) {
        done(error as grpc.ServiceError);
      }
    };
    server.addService({ [method]: definition }, { [method]: handle });
  }
  const port = await new Promise<number>((resolve, reject) => {
    const bound = (error: Error | null, found: number): void => (error ? reject(error) : resolve(found));
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), bound);
  });
  const plain = remoteAt(`grpc://127.0.0.1:${port}`, { name: "cache" });
  const spec = { ...plain, connection: { ...plain.connection, retryLimit: 0 } };
  const channel = openChannel(spec);
  return {
    ...{ spec, channel },
    calls: new RemoteCalls(channel, spec),
    async [Symbol.asyncDispose]() {
      channel.destroy();
      server.forceShutdown();
    },
  };
}
