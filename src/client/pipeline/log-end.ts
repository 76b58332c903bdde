import { open } from "node:fs/promises";

/** What is read of a log's end: enough for some hundred lines. */
const readBytes = 64 << 10;

/** What tells of the sandbox and nothing of the build. */
const noise = /\[(INFO|DEBUG)\]/;

/** The last lines of a log; none where it cannot be read, which is no reason to fail. */
export async function endOfLog(path: string, count: number): Promise<string[]> {
  try {
    await using file = await open(path);
    const { size } = await file.stat();
    const start = Math.max(0, size - readBytes);
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(Math.min(size, readBytes)), position: start });
    const lines = buffer.subarray(0, bytesRead).toString().split("\n");
    return lines.filter((line) => line.trim() !== "" && !noise.test(line)).slice(-count);
  } catch {
    return [];
  }
}
