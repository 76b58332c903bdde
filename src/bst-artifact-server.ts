import { runBstArtifactServer } from "./cli/bst-artifact-server.ts";

process.exit(await runBstArtifactServer(process.argv.slice(2)));
