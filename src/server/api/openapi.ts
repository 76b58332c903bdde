import type { JsonSchema, Parameter } from "./parameter.ts";
import type { Route } from "./route.ts";
import { schemas } from "./schemas.ts";

/** The description of the API in OpenAPI 3.1, made of the routes that serve it. */
export function describeApi(routes: readonly Route[], version: string): object {
  return {
    openapi: "3.1.0",
    info: {
      title: "Stillage",
      version,
      summary: "What a build-artifact cache has, for programs and people",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    paths: Object.fromEntries(routes.map((route) => [route.path, { get: describeRoute(route) }])),
    components: { schemas },
  };
}

function describeRoute({ operation, summary, parameters, answer }: Route): object {
  const content = answer === "text" ? { "text/plain": { schema: { type: "string" } } } : jsonContent(answer.schema);
  return {
    operationId: operation,
    summary,
    parameters: parameters.map(describeParameter),
    responses: {
      "200": { description: summary, content },
      default: { description: "What was wrong", content: jsonContent("Problem", "application/problem+json") },
    },
  };
}

function describeParameter({ name, in: place, description, schema }: Parameter<unknown>): object {
  return { name, in: place, required: place === "path", description, schema };
}

function jsonContent(schema: string, type = "application/json"): JsonSchema {
  return { [type]: { schema: { $ref: `#/components/schemas/${schema}` } } };
}
