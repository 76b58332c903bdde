/** Whose grammar files are read in, and whose precedence holds: BuildStream 1.0 to 1.6, 1.91 to 1.93, and 1.95 to 2.x. */
export const dialects = ["1", "1.9", "2"] as const;
export type Dialect = (typeof dialects)[number];

/** BuildStream 1.9x finds its files as BuildStream 2 does, and keeps its cache in the same way. */
export type Generation = "1" | "2";

/** As which its files are found and its cache is kept. */
export function generationOf(dialect: Dialect): Generation {
  return dialect === "1" ? "1" : "2";
}
