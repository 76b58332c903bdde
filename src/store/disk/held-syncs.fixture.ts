import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

/** Lets each sync of a file's bytes begin only once what `until` returns for it has settled, until this is disposed of. */
export function heldSyncs(until: () => Promise<void> | undefined): Disposable {
  const { fdatasync } = fs;
  const held = (fd: number, done: fs.NoParamCallback): void => {
    const wait = until();
    if (wait === undefined) fdatasync(fd, done);
    else void wait.then(() => fdatasync(fd, done));
  };
  const put = (sync: typeof fdatasync): void => {
    fs.fdatasync = sync;
    syncBuiltinESMExports();
  };
  put(Object.assign(held, { __promisify__: fdatasync.__promisify__ }));
  return { [Symbol.dispose]: () => put(fdatasync) };
}
