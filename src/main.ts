import { runStillage } from "./cli/stillage.ts";

process.exit(await runStillage(process.argv.slice(2)));
