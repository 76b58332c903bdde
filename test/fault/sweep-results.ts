import { create, toBinary } from "@bufbuild/protobuf";
import type { Clock } from "../../src/base/clock.ts";
import { type Digest, digestOf } from "../../src/base/digest.ts";
import { sha256 } from "../../src/base/digest-function.ts";
import type { ActionCache } from "../../src/cache/action-cache.ts";
import { Closure } from "../../src/cache/closure.ts";
import type { OpenCache } from "../../src/cache/open-cache.ts";
import { composeTenant, type Tenant } from "../../src/cache/tenant.ts";
import { putBlob, putDirectory } from "../../src/cache/tree.fixture.ts";
import { ActionResultSchema } from "../../src/gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";

/** More than are evicted in one step. */
export const resultCount = 800;

/** Results that are stored side by side. */
const inGroup = 100;

export const keyOf = (number: number): Digest => digestOf(sha256, Buffer.from(`action ${number}`));

export function actionsOf({ store, refs }: OpenCache, clock: Clock): Tenant {
  const blobs = store.tenant("");
  return composeTenant("", {
    blobs,
    refs,
    closure: new Closure(blobs, () => store.removals()),
    clock,
    indexOnly: false,
  });
}

/** Stores results, numbered from 0 on, each with a file and a directory of its own, and a file that hundred of them share. */
export async function putResults({ actions, blobs }: Tenant, tick: () => void): Promise<void> {
  for (let from = 0; from < resultCount; from += inGroup) {
    const numbers = Array.from({ length: inGroup }, (_, i) => from + i);
    const results = await Promise.all(
      numbers.map(async (number) => {
        const file = await putBlob(blobs, `file ${number} `.repeat(50));
        const directory = await putDirectory(blobs, { own: { a: `in ${number}` }, shared: `shared ${from}` });
        return { number, result: resultOf(file, directory) };
      }),
    );
    const put: Promise<unknown>[] = [];
    for (const { number, result } of results) {
      tick();
      put.push(putResult(actions, number, result));
    }
    await Promise.all(put);
  }
}

function putResult(actions: ActionCache, number: number, result: Uint8Array): Promise<unknown> {
  return actions.update(keyOf(number), result);
}

function resultOf(file: Digest, directory: Digest): Uint8Array {
  const wire = ({ hash, size }: Digest) => ({ hash, sizeBytes: BigInt(size) });
  const result = create(ActionResultSchema, {
    outputFiles: [{ path: "file", digest: wire(file) }],
    outputDirectories: [{ path: "directory", rootDirectoryDigest: wire(directory) }],
  });
  return toBinary(ActionResultSchema, result);
}
