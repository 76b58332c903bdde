import { StillageError } from "../../base/errors.ts";

export type JsonSchema = { readonly [keyword: string]: unknown };

/** A parameter of a route: what the description of the API says of it, and how its text is understood. */
export interface Parameter<T> {
  readonly name: string;
  readonly in: "path" | "query";
  readonly description: string;
  readonly schema: JsonSchema;
  /** Errors: `invalid`, in words that follow the parameter's name. */
  parse(text: string | undefined): T;
}

/** What was wrong with which parameter. */
export class ParameterError extends StillageError {
  readonly parameter: string;

  constructor(parameter: string, what: string, hint?: string) {
    super("invalid", what, hint === undefined ? {} : { hint });
    this.parameter = parameter;
  }
}

interface Described {
  readonly in?: "path" | "query";
  readonly description: string;
}

/** Text of 1 to `maxLength` characters. */
export function text(name: string, maxLength: number, described: Described): Parameter<string | undefined> {
  const schema = { type: "string", minLength: 1, maxLength };
  return {
    ...{ name, in: "query", schema, ...described },
    parse: (given) => {
      if (given === undefined) return undefined;
      if (given !== "" && given.length <= maxLength && given.isWellFormed()) return given;
      throw new ParameterError(name, `"${name}" has 1 to ${maxLength} characters, not ${given.length}`);
    },
  };
}

/** Text in the path. */
export function pathText(name: string, maxLength: number, description: string): Parameter<string> {
  const parameter = text(name, maxLength, { in: "path", description });
  return { ...parameter, parse: (given = "") => parameter.parse(given) ?? "" };
}

/** One of some words; the first, unless another is given. */
export function choice<T extends string>(
  name: string,
  words: readonly [T, ...T[]],
  described: Described,
): Parameter<T> {
  const schema = { type: "string", enum: words, default: words[0] };
  return {
    ...{ name, in: "query", schema, ...described },
    parse: (given) => {
      const found = given === undefined ? words[0] : words.find((each) => each === given);
      if (found !== undefined) return found;
      throw new ParameterError(name, `"${name}" is ${words.slice(0, -1).join(", ")} or ${words.at(-1)}`);
    },
  };
}

/** A whole number from 1 to `max`. */
export function count(name: string, max: number, fallback: number, described: Described): Parameter<number> {
  const schema = { type: "integer", minimum: 1, maximum: max, default: fallback };
  return {
    ...{ name, in: "query", schema, ...described },
    parse: (given) => {
      if (given === undefined) return fallback;
      const number = /^\d{1,9}$/.test(given) ? Number(given) : 0;
      if (number >= 1 && number <= max) return number;
      throw new ParameterError(name, `"${name}" is a whole number from 1 to ${max}`);
    },
  };
}

/** `true` or `false`. */
export function flag(name: string, fallback: boolean, described: Described): Parameter<boolean> {
  const schema = { type: "boolean", default: fallback };
  return {
    ...{ name, in: "query", schema, ...described },
    parse: (given) => {
      if (given === undefined) return fallback;
      if (given === "true" || given === "false") return given === "true";
      throw new ParameterError(name, `"${name}" is true or false`);
    },
  };
}

/** The values of a request, by their parameters. Errors: `invalid` for a query that has others, or one twice. */
export class ParameterValues {
  private readonly values = new Map<Parameter<unknown>, unknown>();

  constructor(
    parameters: readonly Parameter<unknown>[],
    path: Readonly<Record<string, string>>,
    query: URLSearchParams,
  ) {
    const names = parameters.filter((each) => each.in === "query").map(({ name }) => name);
    for (const name of new Set(query.keys())) {
      const shown = JSON.stringify(name.slice(0, 100));
      if (!names.includes(name)) {
        const hint = names.length === 0 ? "it takes none" : `it takes ${names.join(", ")}`;
        throw new ParameterError(name.slice(0, 100), `there is no parameter ${shown} here`, hint);
      }
      if (query.getAll(name).length > 1)
        throw new ParameterError(name, `the parameter ${shown} is there more than once`);
    }
    for (const parameter of parameters) {
      const given = parameter.in === "path" ? path[parameter.name] : (query.get(parameter.name) ?? undefined);
      this.values.set(parameter, parameter.parse(given));
    }
  }

  of<T>(parameter: Parameter<T>): T {
    if (!this.values.has(parameter)) throw new Error(`the route does not take ${parameter.name}`);
    return this.values.get(parameter) as T;
  }
}
