import { scalar } from "./check.ts";

/** The path of a file or directory, as the system takes it. */
export const filePath = scalar("a path", (text) => (text === "" || text.includes("\0") ? undefined : text));
