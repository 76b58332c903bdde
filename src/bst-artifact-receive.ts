import { runBstArtifactReceive } from "./cli/bst-artifact-receive.ts";

process.exit(await runBstArtifactReceive(process.argv.slice(2)));
