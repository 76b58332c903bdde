import { scalar } from "./check.ts";

/** Bytes of UTF-8. The store writes each as up to three characters of one file name, which holds 255. */
const maxBytes = 80;

/** Segments that have a meaning in resource names (remote_execution.proto, "Instance names"). */
const reserved = ["blobs", "uploads", "actions", "actionResults", "operations", "capabilities", "compressed-blobs"];

/** An instance name; empty for clients that name none. */
export const instanceName = scalar(
  `an instance name: up to ${maxBytes} bytes, segments divided by "/", none of them empty or ${reserved.join(", ")}`,
  (text) => {
    if (text === "") return text;
    if (Buffer.byteLength(text) > maxBytes || /[\s\p{Cc}]/u.test(text)) return undefined;
    return text.split("/").every((segment) => segment !== "" && !reserved.includes(segment)) ? text : undefined;
  },
);
