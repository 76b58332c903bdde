import type { Rule } from "../config/access.ts";
import { matcher } from "./pattern.ts";

/** What rules give a token of this name beside what everyone may, for people: `pull, push in main; pull`. */
export function rightsText(rules: readonly Rule[], name: string): string {
  return rules
    .filter(({ who }) => who.kind === "token" && matcher(who.name)(name))
    .map(({ may, instances }) => may.join(", ") + place(instances))
    .join("; ");
}

function place(instances: readonly string[]): string {
  if (instances.includes("*")) return "";
  return ` in ${instances.map((each) => (each === "" ? '""' : each)).join(", ")}`;
}
