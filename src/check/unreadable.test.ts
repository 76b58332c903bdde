import assert from "node:assert/strict";
import { constants } from "node:os";
import { describe, it } from "node:test";
import { digestOf } from "../base/digest.ts";
import { sha256 } from "../base/digest-function.ts";
import { silentLog } from "../base/log.ts";
import type { OpenShelf } from "../store/disk/open-store.ts";
import type { Placed } from "./scrub-walk.ts";
import { isShortage, Unreadable } from "./unreadable.ts";

const hour = 3_600_000;

function failure(errno: number): NodeJS.ErrnoException {
  return Object.assign(new Error("refused"), { errno: -errno, syscall: "read" });
}

function blobAt(offset: number): Placed {
  const shelf = { instance: "", directory: "/s" } as OpenShelf;
  return { shelf, digest: digestOf(sha256, Buffer.from("x")), place: 0, offset, pack: undefined, path: "/s/packs/1" };
}

/** Whether a blob is given up for three such failures in two hours. */
function isGivenUp(errors: readonly number[]): boolean {
  const unreadable = new Unreadable(silentLog);
  return errors.map((errno, i) => unreadable.failed(blobAt(16), failure(errno), i * 2 * hour)).at(-1) as boolean;
}

const { EIO, ENODATA, EILSEQ, EBADMSG, EACCES, EPERM, EISDIR, ETIMEDOUT, EMFILE, ENFILE, ENOMEM } = constants.errno;

describe("a blob that cannot be read", () => {
  it("is given up the third time, where it is the disk that does not give it", () => {
    for (const errno of [EIO, ENODATA, EILSEQ, EBADMSG, 117]) {
      assert.equal(isGivenUp([errno, errno]), false);
      assert.equal(isGivenUp([errno, errno, errno]), true, String(errno));
    }
  });

  it("is not for anything else, which is no try either", () => {
    for (const errno of [EACCES, EPERM, EISDIR, ETIMEDOUT]) {
      assert.equal(isGivenUp([errno, errno, errno, errno]), false, String(errno));
      assert.equal(isGivenUp([EIO, EIO, errno]), false, String(errno));
      assert.equal(isGivenUp([EIO, errno, EIO, EIO]), true, String(errno));
    }
  });

  it("is not spoken of where the process is short of something", () => {
    for (const errno of [EMFILE, ENFILE, ENOMEM]) assert.equal(isShortage(failure(errno)), true);
    assert.equal(isShortage(failure(EIO)), false);
  });

  it("is one of too many until none is left to be tried again, also in the next round", () => {
    const unreadable = new Unreadable(silentLog);
    const blobs = Array.from({ length: 70 }, (_, i) => blobAt(16 + i));
    for (const blob of blobs) assert.equal(unreadable.failed(blob, failure(EIO), 0), false);
    unreadable.beginRound();
    for (const now of [hour, 3 * hour]) {
      for (const blob of unreadable.due(now)) assert.equal(unreadable.failed(blob, failure(EIO), now), false);
    }
    assert.deepEqual(unreadable.due(100 * hour), []);
    unreadable.beginRound();
    const [blob] = blobs as [Placed];
    assert.deepEqual(
      [0, hour, 3 * hour].map((now) => unreadable.failed(blob, failure(EIO), now)),
      [false, false, true],
    );
  });
});
