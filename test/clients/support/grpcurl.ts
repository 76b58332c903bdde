import assert from "node:assert/strict";
import { join } from "node:path";
import { clientsFolder, installed } from "./checkout.ts";
import { runProgram } from "./program.ts";

/** A gRPC status by its number, as in grpc/status.proto. */
export const grpcCode = {
  ok: 0,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  unauthenticated: 16,
} as const;

export interface CallResult {
  /** gRPC status number. */
  readonly code: number;
  /** The response messages; protobuf's JSON: default values are left out, bytes are base64, 64-bit numbers strings. */
  // biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect in each message.
  readonly messages: readonly any[];
  /** What grpcurl printed of an error. */
  readonly error: string;
}

/** grpcurl against one address, knowing nothing but what the server tells by reflection. */
export interface Grpcurl {
  /** Calls `package.Service/Method` with one request message, or with several. */
  call(method: string, ...requests: object[]): Promise<CallResult>;
  /** Runs `list` or `describe` and gives what it printed. */
  ask(verb: "list" | "describe", symbol?: string): Promise<string>;
}

/** grpcurl adds this to the gRPC status in its exit status. */
const statusBase = 64;

/** `options` are those of the connection: `-plaintext`, `-cacert FILE` ... */
export async function connectGrpcurl(address: string, options: readonly string[] = ["-plaintext"]): Promise<Grpcurl> {
  const grpcurl = await installed(join(clientsFolder, "bin/grpcurl"), "grpcurl.sh");
  return {
    async call(method, ...requests) {
      const input = requests.map((request) => JSON.stringify(request)).join("\n");
      const result = await runProgram(grpcurl, [...options, "-d", "@", address, method], { input });
      const code = result.status === 0 ? 0 : (result.status ?? 0) - statusBase;
      // Any other exit status is of grpcurl itself: it did not come to a call.
      assert.ok(code >= 0, `grpcurl ${method} exited with ${result.status}\n${result.stderr}`);
      return { code, messages: parseMessages(result.stdout), error: result.stderr };
    },
    async ask(verb, symbol) {
      const words = symbol === undefined ? [verb] : [verb, symbol];
      const result = await runProgram(grpcurl, [...options, address, ...words]);
      assert.equal(result.status, 0, `grpcurl ${words.join(" ")}\n${result.stderr}`);
      return result.stdout;
    },
  };
}

/** grpcurl prints its messages one after the other, each ending with a brace at the start of a line. */
function parseMessages(output: string): unknown[] {
  return output
    .split(/(?<=^(?:\}|\{\})\n)/m)
    .filter((text) => text.trim() !== "")
    .map((text) => JSON.parse(text));
}
