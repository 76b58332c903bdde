import { StillageError } from "../base/errors.ts";

/** What is read of a directory, or why that cannot be. */
export async function readOrProblem<T>(read: () => Promise<T | undefined>): Promise<T | string> {
  try {
    return (await read()) ?? "is not in this cache";
  } catch (error) {
    if (!(error instanceof StillageError) || (error.code !== "invalid" && error.code !== "corrupt")) throw error;
    return `cannot be read: ${error.message}`;
  }
}
