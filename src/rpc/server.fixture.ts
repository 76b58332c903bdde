import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { Client, credentials, type Metadata, type ServiceError } from "@grpc/grpc-js";
import { type Caller, unidentified } from "../base/caller.ts";
import { silentLog } from "../base/log.ts";
import { RpcServer, type RpcServerOptions } from "./server.ts";
import type { Method, Service } from "./service.ts";

/** A caller who may do everything. */
const trusted: Caller = { ...unidentified, name: "test", may: () => true };

/** A server with one service, `test.Service`, on a free port. */
export class TestServer {
  readonly rpc: RpcServer;
  readonly address: string;
  private readonly listener: Server;

  private constructor(rpc: RpcServer, listener: Server) {
    this.rpc = rpc;
    this.listener = listener;
    this.address = `127.0.0.1:${(listener.address() as AddressInfo).port}`;
  }

  static async start(methods: Record<string, Method>, options: Partial<RpcServerOptions> = {}): Promise<TestServer> {
    const services: Service[] = [{ name: "test.Service", methods }];
    const rpc = new RpcServer({ services, log: silentLog, authenticate: () => () => trusted, ...options });
    const listener = createServer((socket) => {
      const address = `127.0.0.1:${socket.remotePort}`;
      rpc.accept(socket, {
        address,
        host: "127.0.0.1",
        network: "127.0.0.1",
        local: true,
        push: true,
        tls: false,
        certificate: undefined,
      });
    });
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    return new TestServer(rpc, listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.listener.close();
    await this.rpc.close(0);
  }
}

/** The gRPC project's own client for JavaScript, with messages as plain bytes. */
export class TestClient extends Client {
  constructor(address: string, options: Record<string, number | string> = {}) {
    super(address, credentials.createInsecure(), options);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** A unary call: its response, or a rejection with the ServiceError. */
  call(method: string, request: Uint8Array, metadata?: Metadata, options: { deadline?: number } = {}): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const done = (error: ServiceError | null, response?: Buffer): void => {
        if (error === null) resolve(response as Buffer);
        else reject(error);
      };
      const args = [`/test.Service/${method}`, bytes, bytes, Buffer.from(request)] as const;
      if (metadata === undefined) this.makeUnaryRequest(...args, options, done);
      else this.makeUnaryRequest(...args, metadata, options, done);
    });
  }

  /** A call with messages both ways. */
  stream(
    method: string,
    options: { deadline?: number } = {},
  ): ReturnType<typeof this.makeBidiStreamRequest<Buffer, Buffer>> {
    return this.makeBidiStreamRequest(`/test.Service/${method}`, bytes, bytes, options);
  }
}

const bytes = (value: Buffer): Buffer => value;
