import type { ServerUnderTest } from "./stillage.ts";

/** What the catalogue tells of an artifact, as far as the tests look at it. */
export interface CatalogueArtifact {
  readonly project: string;
  readonly element: string;
  readonly keys: readonly string[];
  readonly generation: string;
  readonly pushedBy: string;
  readonly complete: boolean;
  readonly cacheKeys: { readonly strong: string | null; readonly weak: string | null };
  readonly build: { readonly success: boolean; readonly error: string | null };
  readonly problems: readonly string[];
}

export interface CatalogueFile {
  readonly path: string;
  readonly type: "file" | "directory" | "symlink";
  readonly executable?: boolean;
  readonly digest?: { readonly size: number };
  readonly target?: string;
}

export interface CatalogueDependency {
  readonly project: string | null;
  readonly element: string;
  readonly key: string;
  readonly artifact: { readonly project: string; readonly element: string; readonly key: string } | null;
}

/** The catalogue of a running server, read over its API. */
export class CatalogueClient {
  private readonly base: string;

  constructor(server: Pick<ServerUnderTest, "address">) {
    this.base = `http://${server.address}/api/v1`;
  }

  list(query = ""): Promise<CatalogueArtifact[]> {
    return this.pages(`/artifacts?limit=7${query}`);
  }

  show(name: string): Promise<CatalogueArtifact> {
    return this.json(`/artifacts/${name}`);
  }

  files(name: string): Promise<CatalogueFile[]> {
    return this.pages(`/artifacts/${name}/files?limit=10`);
  }

  dependencies(name: string): Promise<CatalogueDependency[]> {
    return this.pages(`/artifacts/${name}/dependencies?limit=2`);
  }

  /** All logs of an artifact, one after the other. */
  async logs(name: string): Promise<string> {
    const { items } = await this.json<{ items: { name: string }[] }>(`/artifacts/${name}/logs`);
    const texts: string[] = [];
    for (const log of items) texts.push(await this.text(`/artifacts/${name}/logs/${encodeURIComponent(log.name)}`));
    return texts.join("");
  }

  private async pages<T>(path: string): Promise<T[]> {
    const all: T[] = [];
    let cursor = "";
    for (;;) {
      const { items, next } = await this.json<{ items: T[]; next: string | null }>(`${path}${cursor}`);
      all.push(...items);
      if (next === null) return all;
      cursor = `&cursor=${next}`;
    }
  }

  private async json<T>(path: string): Promise<T> {
    return JSON.parse(await this.text(path)) as T;
  }

  private async text(path: string): Promise<string> {
    const response = await fetch(this.base + path);
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    return text;
  }
}
