/** Commands that work with any cache there is, by their words. */
const names = [
  "artifact checkout",
  "artifact delete",
  "artifact diff",
  "artifact list",
  "artifact list-contents",
  "artifact log",
  "artifact pull",
  "artifact push",
  "artifact show",
  "build",
  "mirror",
  "remote check",
  "remote list",
] as const;

export type ClientCommand = (typeof names)[number];

/** The one that a command line begins with. */
export function clientCommandOf([first = "", second = ""]: readonly string[]): ClientCommand | undefined {
  return names.find((name) => name === first || name === `${first} ${second}`);
}
