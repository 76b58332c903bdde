// Loads the files of tests that UNIT_TESTS names, one in a line, into this process, each as a suite: so a file's hooks are for its own tests, and it has failed when
// one of them fails or when it breaks off in the middle, with some of its tests registered.
import { join } from "node:path";
import { suite } from "node:test";

const files = (process.env.UNIT_TESTS ?? "").split("\n").filter((each) => each !== "");
if (files.length === 0) throw new Error("UNIT_TESTS names no file");

// One after the other: what two of them import and wait for would register the tests of both with the first.
for (const file of files) {
  const { promise: loaded, resolve } = Promise.withResolvers<void>();
  void suite(file, async () => {
    await import(join(import.meta.dirname, "..", file)).finally(resolve);
  });
  await loaded;
}
