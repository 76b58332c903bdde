// Brings the refs in the file named first to the present format, and says each step before it goes on. Stops at the step with the number named
// second, until it is killed.
import { DatabaseSync } from "node:sqlite";
import { migrate } from "../../src/store/sqlite/migration.ts";

const [file, last] = process.argv.slice(2);
if (file === undefined || last === undefined) throw new Error("usage: refs-migrator.ts FILE STEP");
const database = new DatabaseSync(file);
let step = 0;
for (const { doing } of migrate(database)) {
  if (step++ < Number(last)) continue;
  process.stdout.write(`${doing}\n`);
  setInterval(() => {}, 1000);
  await new Promise(() => {});
}
process.stdout.write("done\n");
