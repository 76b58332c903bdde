// Writes docs/CONFIGURATION.md from the one description of all settings.
import { writeFile } from "node:fs/promises";
import { reference } from "../src/config/reference.ts";

await writeFile(new URL("../docs/CONFIGURATION.md", import.meta.url), reference());
