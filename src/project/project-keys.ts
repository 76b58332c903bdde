import type { Dialect } from "./dialect.ts";

const common = [
  "name",
  "element-path",
  "variables",
  "environment",
  "environment-nocache",
  "split-rules",
  "elements",
  "sources",
  "plugins",
  "aliases",
  "artifacts",
  "options",
  "fail-on-overlap",
  "shell",
  "fatal-warnings",
  "ref-storage",
  "sandbox",
  "mirrors",
] as const;

const later = [...common, "min-version", "defaults", "source-caches"] as const;

/** What `project.conf` may have, beside includes and conditions. */
export const projectKeys: Readonly<Record<Dialect, readonly string[]>> = {
  "1": [...common, "format-version"],
  "1.9": [...later, "junctions", "remote-execution"],
  "2": [...later, "junctions", "source-provenance-attributes"],
};

/** What no condition can set, since BuildStream 2. */
export const unconditionalKeys = [
  "min-version",
  "name",
  "element-path",
  "junctions",
  "defaults",
  "fatal-warnings",
  "ref-storage",
  "options",
  "plugins",
] as const;

/** Keys that have to do with remotes. Includes and conditions elsewhere are not followed. */
export const remoteKeys = ["artifacts", "source-caches"] as const;
