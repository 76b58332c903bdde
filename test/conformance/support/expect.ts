import { RpcError } from "../../../src/rpc/client/rpc-error.ts";
import { grpcStatus, grpcStatusName } from "../../../src/rpc/status.ts";

// What failing cases say has no hashes, ports or times in it, so that two runs against one server say the same.

export type StatusName = keyof typeof grpcStatus;

const nameOf = (status: StatusName): string => grpcStatusName(grpcStatus[status]);

/** Fails unless `actual` is `expected`. */
export function expectEqual(actual: unknown, expected: unknown, what: string): void {
  if (actual !== expected) throw new Error(`${what}: expected ${show(expected)}, got ${show(actual)}`);
}

export function expectTrue(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

/** Fails unless the bytes are the same; says no more than where they part. */
export function expectBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  if (Buffer.compare(actual, expected) === 0) return;
  throw new Error(`${what}: expected ${expected.length} bytes, got ${actual.length} bytes that are not those`);
}

/** The status a call ends with, OK included. */
export async function statusOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "OK";
  } catch (error) {
    if (error instanceof RpcError) return error.status;
    throw error;
  }
}

/** Fails unless the call ends with one of these statuses. */
export async function expectStatus(
  call: Promise<unknown>,
  expected: StatusName | readonly StatusName[],
  what: string,
): Promise<void> {
  const names = [expected].flat().map(nameOf);
  const actual = await statusOf(call);
  if (!names.includes(actual)) throw new Error(`${what}: expected ${names.join(" or ")}, got ${actual}`);
}

/** Awaits a call that has to succeed; its error gets to say what was called. */
export async function expectOk<T>(call: Promise<T>, what: string): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof RpcError) throw new Error(`${what}: expected OK, got ${error.status}`, { cause: error });
    throw error;
  }
}

/** Fails unless the status in an entry of a batch has this code. */
export function expectEntry(status: { code: number } | undefined, expected: StatusName, what: string): void {
  expectEqual(grpcStatusName(status?.code ?? 0), nameOf(expected), what);
}

function show(value: unknown): string {
  return typeof value === "bigint" ? String(value) : (JSON.stringify(value) ?? String(value));
}
