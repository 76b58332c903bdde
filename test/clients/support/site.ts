import { type BstClient, type BstConfiguration, createBst } from "./bst.ts";
import { type Project, writeProject } from "./project.ts";
import { type ServerUnderTest, startServer } from "./stillage.ts";
import { createWorkspace, type Workspace } from "./workspace.ts";

/** A project, servers and machines of one test. Disposing stops the servers and removes every file. */
export interface Site extends AsyncDisposable {
  readonly workspace: Workspace;
  readonly project: Project;
  /** Starts a server on a new store, or on the store in `folder`. */
  serve(options?: readonly string[], folder?: string): Promise<ServerUnderTest>;
  /** A machine with BuildStream and an empty cache. */
  machine(name: string, configuration?: BstConfiguration, version?: string): Promise<BstClient>;
}

/** `version` is what the project is for, and what a machine gets when the test does not say. */
export async function openSite(version: string): Promise<Site> {
  await using opened = new AsyncDisposableStack();
  const workspace = opened.use(await createWorkspace());
  const project = await writeProject(await workspace.folder("project"), version);
  const parts = opened.move();
  return {
    workspace,
    project,
    async serve(options = [], folder) {
      return parts.use(await startServer(folder ?? (await workspace.folder("store")), options));
    },
    async machine(name, configuration = {}, other = version) {
      return createBst(other, await workspace.folder(name), configuration);
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

/** Artifacts and sources at one plain server. */
export function bothAt(server: Pick<ServerUnderTest, "address">, push: boolean): BstConfiguration {
  const entry = { url: `http://${server.address}`, push };
  return { artifacts: [entry], sources: [entry] };
}

/** Artifacts only, at one plain server. */
export function artifactsAt(server: Pick<ServerUnderTest, "address">, push: boolean): BstConfiguration {
  return { artifacts: [{ url: `http://${server.address}`, push }] };
}
