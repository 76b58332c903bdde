import { treeNames } from "../../artifact/artifact-content.ts";
import { generations, maxKeys } from "../../store/artifact-refs.ts";
import type { JsonSchema } from "./parameter.ts";

// The shapes of the answers, in JSON Schema: what `src/artifact/artifact-json.ts` makes. A test holds every answer against them.

const text = { type: "string" };
const time = { type: "string", format: "date-time" };
const truth = { type: "boolean" };
const amount = { type: "integer", minimum: 0 };
const orNull = (schema: JsonSchema): JsonSchema => ({ anyOf: [schema, { type: "null" }] });
const named = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });
const listOf = (items: JsonSchema): JsonSchema => ({ type: "array", items });

/** An object that has these members and no others; `optional` ones may be left out. */
function object(properties: Readonly<Record<string, JsonSchema>>, optional: readonly string[] = []): JsonSchema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: "object", properties, required, additionalProperties: false };
}

/** A page of a list: the next is asked for with `cursor=` and the value of `next`. */
const page = (items: JsonSchema): JsonSchema =>
  object({
    items: listOf(items),
    next: { ...orNull(text), description: "The cursor of the next page; null on the last" },
  });

const listed = {
  instance: text,
  project: text,
  element: { ...text, description: "As BuildStream stores it: without .bst, with - for /" },
  keys: { ...listOf(text), minItems: 1, maxItems: maxKeys, description: "Keys that lead to it, the strong one first" },
  moreKeys: { ...truth, description: "Whether more keys than those lead to it" },
  generation: { ...text, enum: [...generations], description: "Which releases of BuildStream push this form" },
  pushed: time,
  pushedBy: { ...orNull(text), description: "Who pushed it last" },
  content: { ...named("Digest"), description: "The artifact's message, directory or commit" },
};

const name = object({ project: text, element: text, key: text });
const tree = object({ digest: named("Digest"), complete: orNull(truth) });

export const schemas: Readonly<Record<string, JsonSchema>> = {
  Digest: object({ function: text, hash: { ...text, pattern: "^[0-9a-f]+$" }, size: amount }),
  Instance: object({ name: text, artifacts: { ...amount, description: "How many it has" } }),
  InstanceList: object({ items: listOf(named("Instance")) }),
  ListedArtifact: object(listed),
  ArtifactPage: page(named("ListedArtifact")),
  Artifact: object({
    ...listed,
    cacheKeys: object({ strong: orNull(text), weak: orNull(text), strict: orNull(text) }),
    version: orNull({ type: "integer" }),
    complete: { ...orNull(truth), description: "Whether clients get it; null where the blobs are on another server" },
    missing: listOf(object({ part: text, blobs: amount, required: truth })),
    size: {
      ...orNull(object({ bytes: amount, blobs: amount, exact: truth })),
      description: "Each blob counted once. Not exact: there is more, which was not counted",
    },
    build: object({
      success: orNull(truth),
      error: orNull(text),
      details: orNull(text),
      workspaced: orNull(truth),
    }),
    trees: object(Object.fromEntries(treeNames.map((each) => [each, orNull(tree)]))),
    logs: listOf(named("Log")),
    dependencies: { ...orNull(amount), description: "How many elements it was built with" },
    publicData: { description: "The element's public data; null where there is none to be shown" },
    lastUsed: time,
    expires: orNull(time),
    pinned: truth,
    problems: { ...listOf(text), description: "What could not be read" },
  }),
  Entry: object(
    {
      path: text,
      type: { ...text, enum: ["file", "directory", "symlink"] },
      digest: {
        ...named("Digest"),
        description: "Of the blob; of the function ostree where that is an OSTree file object",
      },
      size: { ...amount, description: "Bytes of a file's content" },
      executable: truth,
      target: text,
      problem: { ...text, description: "Why what is in a directory is not listed, or nothing is known of a file" },
    },
    ["digest", "size", "executable", "target", "problem"],
  ),
  EntryPage: page(named("Entry")),
  Log: object({ name: text, digest: named("Digest"), size: { ...amount, description: "Bytes of the text" } }),
  LogList: object({ items: listOf(named("Log")) }),
  Dependency: object({
    project: { ...orNull(text), description: "null where the artifact does not tell" },
    element: text,
    key: text,
    workspaced: truth,
    artifact: { ...orNull(name), description: "Its name here; null where it is not here" },
  }),
  DependencyPage: page(named("Dependency")),
  Problem: object(
    {
      type: { ...text, format: "uri-reference" },
      title: text,
      status: { type: "integer", minimum: 400, maximum: 599 },
      detail: text,
      request: { ...text, description: "What the request is called in the server's logs" },
      hint: { ...text, description: "What can be done about it" },
      parameter: { ...text, description: "What was wrong of the request" },
    },
    ["hint", "parameter"],
  ),
};
