/** Where something was written, so that a problem can be found there. */
export interface Origin {
  /** `FILE:LINE:COLUMN`, a flag, an environment variable, or `default`. */
  readonly where: string;
  /** What relative paths start from: an absolute path. */
  readonly folder: string;
}

export interface ConfigEntry {
  readonly key: string;
  readonly origin: Origin;
  readonly value: ConfigNode;
}

/** A value as it was written, whether in a file, as a flag or in the environment. */
export type ConfigNode =
  | { readonly kind: "text"; readonly text: string; readonly origin: Origin }
  | { readonly kind: "list"; readonly items: readonly ConfigNode[]; readonly origin: Origin }
  | { readonly kind: "map"; readonly entries: readonly ConfigEntry[]; readonly origin: Origin }
  | { readonly kind: "nothing"; readonly origin: Origin };

export function textNode(text: string, origin: Origin): ConfigNode {
  return { kind: "text", text, origin };
}
