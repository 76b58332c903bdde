// Writes the manual pages and what completes commands in shells into a folder: man1/, man5/, completions/. Usage: manual.ts FOLDER
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { bstArtifactReceiveProgram } from "../src/cli/bst-artifact-receive.ts";
import { bstArtifactServerProgram } from "../src/cli/bst-artifact-server.ts";
import { allShapes, shapeOf } from "../src/cli/command-shape.ts";
import { completions } from "../src/cli/completion.ts";
import { commandPage, pageName } from "../src/cli/manual/command-page.ts";
import { settingsPage } from "../src/cli/manual/settings-page.ts";
import { stillageProgram } from "../src/cli/stillage-program.ts";
import { version } from "../src/cli/version.ts";

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: manual.ts FOLDER");

const seconds = Number(process.env.SOURCE_DATE_EPOCH ?? 0);
const origin = { version, day: new Date(seconds * 1000).toISOString().slice(0, 10) };
const never = (): void => {};
const stillage = shapeOf(stillageProgram(never));

for (const program of [stillage, shapeOf(bstArtifactServerProgram()), shapeOf(bstArtifactReceiveProgram())]) {
  for (const shape of allShapes(program)) write(`man1/${pageName(shape)}.1`, commandPage(shape, origin));
}
write("man5/stillage.yaml.5", settingsPage(origin));
// As each shell looks for them.
write("completions/bash/stillage", completions.bash(stillage));
write("completions/zsh/_stillage", completions.zsh(stillage));
write("completions/fish/stillage.fish", completions.fish(stillage));

function write(path: string, text: string): void {
  const file = join(folder as string, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
