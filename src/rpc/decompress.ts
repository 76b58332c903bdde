import { gunzip } from "node:zlib";
import { StillageError } from "../base/errors.ts";

/** Decompresses a message that came with grpc-encoding gzip, into no more than `maxBytes`. Errors: `invalid`, `exhausted`. */
export function gunzipMessage(bytes: Uint8Array, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    gunzip(bytes, { maxOutputLength: maxBytes }, (error, plain) => {
      if (error === null) resolve(plain);
      else if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
        reject(new StillageError("exhausted", `a compressed message of more than ${maxBytes} bytes`));
      } else reject(new StillageError("invalid", "a message that is no gzip", { cause: error }));
    });
  });
}
