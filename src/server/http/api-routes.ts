import { treeNames } from "../../artifact/artifact-content.ts";
import { dependencyJson, entryJson, listedJson, logJson, reportJson } from "../../artifact/artifact-json.ts";
import type { Catalogue } from "../../artifact/catalogue.ts";
import { maxDependencies } from "../../artifact/dependencies.ts";
import { maxPatternLength, maxTextLength } from "../../artifact/element-name.ts";
import { maxCursorLength, type Page } from "../../artifact/page.ts";
import { StillageError } from "../../base/errors.ts";
import type { HttpResponse } from "../../http/exchange.ts";
import type { FoundArtifact } from "../../store/artifact-refs.ts";
import { logResponse } from "../api/log.ts";
import { choice, count, flag, pathText, text } from "../api/parameter.ts";
import { json } from "../api/problem.ts";
import type { ApiCall, Route } from "../api/route.ts";

/** Characters of names: longer ones are no element's. */
const maxNameLength = 1024;
/** Artifacts, and files, of one page. */
const maxArtifacts = 200;
const maxLines = 1000;

const instance = text("instance", maxNameLength, {
  description: "The instance name; without it the only instance, or else the one without a name",
});
const project = text("project", maxPatternLength, { description: "The project; * and ? are wildcards" });
const element = text("element", maxPatternLength, {
  description: "The element, as it is stored or as its file in the project: components/gcc.bst; * and ? are wildcards",
});
const key = text("key", 128, { description: "How one of its keys begins" });
const q = text("q", maxTextLength, {
  description: "A part of PROJECT/ELEMENT in any case, in which * and ? are wildcards, or the beginning of a key",
});
const sort = choice("sort", ["newest", "oldest", "name"], {
  description: "The order: by the time of the last push, or by name",
});
const limit = count("limit", maxArtifacts, 50, { description: "Artifacts of a page, at most" });
const lines = count("limit", maxLines, 100, { description: "Entries of a page, at most" });
const looked = count("limit", maxDependencies, maxDependencies, { description: "Dependencies of a page, at most" });
const cursor = text("cursor", maxCursorLength, { description: "`next` of the page before" });
const inProject = pathText("project", maxNameLength, "The project");
const ofElement = pathText("element", maxNameLength, "The element, as it is stored or as its file in the project");
const withKey = pathText("key", maxNameLength, "One of its keys, whole");
const logName = pathText("name", maxNameLength, "The name of the log");
const path = text("path", 4096, { description: "A directory of the tree, of which alone is listed what is in it" });
const recursive = flag("recursive", true, { description: "Also what is in the directories of the directory" });
const tree = choice("tree", treeNames, {
  description: "Which tree: the output, or what cached build trees bring along",
});

const artifactPath = "/api/v1/artifacts/{project}/{element}/{key}";
const artifactParameters = [inProject, ofElement, withKey, instance];

/** Every route, but for that of the description, which is made of these. The first that fits a path serves it. */
export const routes: readonly Route[] = [
  {
    path: "/api/v1/instances",
    operation: "listInstances",
    summary: "The instances of this server",
    parameters: [],
    answer: { schema: "InstanceList" },
    handle: async ({ catalogues }) => {
      const items = catalogues.all.map(async (each) => ({ name: each.instance, artifacts: await each.count() }));
      return json(200, { items: await Promise.all(items) });
    },
  },
  {
    path: "/api/v1/artifacts",
    operation: "listArtifacts",
    summary: "Artifacts, the newest first",
    parameters: [instance, project, element, key, q, sort, limit, cursor],
    answer: { schema: "ArtifactPage" },
    handle: async (call) => {
      const { values } = call;
      const found = await catalogueOf(call).list({
        ...{ project: values.of(project), element: values.of(element), key: values.of(key), search: values.of(q) },
        ...{ sort: values.of(sort), limit: values.of(limit), cursor: values.of(cursor) },
      });
      return pageOf(found, listedJson);
    },
  },
  {
    path: `${artifactPath}/files`,
    operation: "listFiles",
    summary: "The files of an artifact, directory by directory",
    parameters: [...artifactParameters, tree, path, recursive, lines, cursor],
    answer: { schema: "EntryPage" },
    handle: async (call) => {
      const { values } = call;
      const query = {
        ...{ path: pathOf(values.of(path)), recursive: values.of(recursive) },
        ...{ limit: values.of(lines), cursor: values.of(cursor) },
      };
      const [catalogue, found] = await artifactOf(call);
      return pageOf(await catalogue.files(found, values.of(tree), query), entryJson);
    },
  },
  {
    path: `${artifactPath}/dependencies`,
    operation: "listDependencies",
    summary: "What an artifact was built with, and which of it is here",
    parameters: [...artifactParameters, looked, cursor],
    answer: { schema: "DependencyPage" },
    handle: async (call) => {
      const [catalogue, found] = await artifactOf(call);
      const { values } = call;
      return pageOf(await catalogue.dependencies(found, values.of(looked), values.of(cursor)), dependencyJson);
    },
  },
  {
    path: `${artifactPath}/logs`,
    operation: "listLogs",
    summary: "The logs of an artifact's build",
    parameters: artifactParameters,
    answer: { schema: "LogList" },
    handle: async (call) => {
      const [catalogue, found] = await artifactOf(call);
      const { logs } = await catalogue.content(found);
      return json(200, { items: logs.map(logJson) });
    },
  },
  {
    path: `${artifactPath}/logs/{name}`,
    operation: "readLog",
    summary: "A log",
    parameters: [...artifactParameters, logName],
    answer: "text",
    handle: async (call) => {
      const [catalogue, found] = await artifactOf(call);
      return logResponse(
        await catalogue.openLog(found, call.values.of(logName)),
        call.request.method,
        call.request.signal,
      );
    },
  },
  {
    path: artifactPath,
    operation: "readArtifact",
    summary: "All that is known of an artifact",
    parameters: artifactParameters,
    answer: { schema: "Artifact" },
    handle: async (call) => {
      const [catalogue, found] = await artifactOf(call);
      return json(200, reportJson(await catalogue.report(found)));
    },
  },
];

function catalogueOf({ catalogues, values }: ApiCall): Catalogue {
  return catalogues.of(values.of(instance));
}

async function artifactOf(call: ApiCall): Promise<[Catalogue, FoundArtifact]> {
  const { values } = call;
  const catalogue = catalogueOf(call);
  const name = { project: values.of(inProject), element: values.of(ofElement), key: values.of(withKey) };
  const found = await catalogue.find(name);
  if (found !== undefined) return [catalogue, found];
  throw new StillageError("not-found", `there is no artifact ${name.project}/${name.element}/${name.key} here`, {
    hint: "a key is given whole; /api/v1/artifacts?key= finds it by its beginning",
  });
}

function pageOf<T>({ items, next }: Page<T>, shape: (item: T) => object): HttpResponse {
  return json(200, { items: items.map(shape), next: next ?? null });
}

/** A path of a tree without the slashes around it. */
function pathOf(given: string | undefined): string {
  return (given ?? "").replace(/^\/+|\/+$/g, "");
}
