import type { Digest } from "../../src/base/digest.ts";
import type { NewRef, Ref } from "../../src/store/ref-store.ts";

/** Long messages fill SQLite's journal soon. */
const messageBytes = 9000;

/** A ref that its name and version tell, about one blob or none. */
export function refOf(name: string, version: number, root?: Digest): NewRef {
  return {
    space: "action",
    instance: "",
    name,
    message: Buffer.alloc(messageBytes, `${version} ${name},`),
    roots: root === undefined ? [] : [{ walk: "blob", digest: root }],
    stored: 1_700_000_000_000,
    expires: undefined,
  };
}

export function versionOf({ message }: Pick<Ref, "message">): number {
  return Number.parseInt(Buffer.from(message.subarray(0, 10)).toString(), 10);
}
