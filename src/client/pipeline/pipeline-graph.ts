import { StillageError } from "../../base/errors.ts";

/** What the scheduler knows of an element. Names are unique in a graph. */
export interface PipelineElement {
  readonly name: string;
  /** What has to be there before it is built, together with the run-time dependencies of that. */
  readonly buildDependencies: readonly string[];
  /** What whoever uses it needs, too. */
  readonly runtimeDependencies: readonly string[];
}

/** Elements with all that they depend on. */
export class PipelineGraph<E extends PipelineElement> {
  readonly elements: ReadonlyMap<string, E>;

  /** Errors: `invalid` for a dependency that is not among them. */
  constructor(elements: readonly E[]) {
    this.elements = new Map(elements.map((element) => [element.name, element]));
    for (const { name, buildDependencies, runtimeDependencies } of elements) {
      for (const dependency of [...buildDependencies, ...runtimeDependencies]) {
        if (this.elements.has(dependency)) continue;
        throw new StillageError("invalid", `${name} depends on ${dependency}, which is not in the graph`);
      }
    }
  }

  /** The element of a name that is in the graph. */
  element(name: string): E {
    const found = this.elements.get(name);
    if (found === undefined) throw new StillageError("not-found", `there is no element ${name} in the graph`);
    return found;
  }

  /** Those elements and all that they need to be used, each once. */
  runtimeClosure(names: Iterable<string>): Set<string> {
    const found = new Set(names);
    for (const name of found) for (const next of this.element(name).runtimeDependencies) found.add(next);
    return found;
  }

  /**
   * What is asked for where these targets are, with which of their dependencies (as `bst build --deps`): the rest is needed only where something that needs it has
   * to be built.
   */
  askedFor(targets: readonly string[], deps: "none" | "build" | "run" | "all"): Set<string> {
    switch (deps) {
      case "none":
        return new Set(targets);
      case "run":
        return this.runtimeClosure(targets);
      case "build":
        return this.runtimeClosure(targets.flatMap((name) => this.element(name).buildDependencies));
      case "all": {
        const found = new Set(targets);
        for (const name of found) {
          const { buildDependencies, runtimeDependencies } = this.element(name);
          for (const next of [...buildDependencies, ...runtimeDependencies]) found.add(next);
        }
        return found;
      }
    }
  }

  /**
   * For each element the cost of the longest chain of builds that may wait for it: whoever has the highest is on the critical path. Elements that lead back to themselves count as
   * if nothing waited for them.
   */
  chains(cost: (element: E) => number): Map<string, number> {
    const chains = new Map<string, number>();
    const dependents = new Map<string, number>();
    const raise = (name: string, chain: number): void => {
      chains.set(name, Math.max(chains.get(name) ?? 0, chain));
    };
    const edges = ({ buildDependencies, runtimeDependencies }: E): string[] => [
      ...buildDependencies,
      ...runtimeDependencies,
    ];
    for (const element of this.elements.values()) {
      raise(element.name, 0);
      for (const name of edges(element)) dependents.set(name, (dependents.get(name) ?? 0) + 1);
    }
    const settled = [...this.elements.values()].filter(({ name }) => !dependents.has(name));
    for (const element of settled) {
      const chain = chains.get(element.name) ?? 0;
      for (const name of element.buildDependencies) raise(name, chain + cost(element));
      for (const name of element.runtimeDependencies) raise(name, chain);
      for (const name of edges(element)) {
        const left = (dependents.get(name) ?? 0) - 1;
        dependents.set(name, left);
        if (left === 0) settled.push(this.element(name));
      }
    }
    return chains;
  }
}
