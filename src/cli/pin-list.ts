import { join } from "node:path";
import { systemClock } from "../base/clock.ts";
import { instanceMeant } from "../client/store-place.ts";
import type { ListedRef } from "../store/ref-admin.ts";
import { listRefs, openArtifacts } from "../store/sqlite/read-only-artifacts.ts";
import { humanAge, printable } from "./human-text.ts";
import { type Output, standardOutput } from "./output.ts";
import type { PinFlags } from "./pin.ts";
import { textTable } from "./text-table.ts";

/** Refs that are printed at a time. */
const pageRefs = 1000;

const columns = [{ title: "INSTANCE" }, { title: "SPACE" }, { title: "USED" }, { title: "NAME", flexible: true }];

/**
 * Prints what is pinned in a store, as `checkReadable` gives it: a table on a terminal, a line with tabs for each in a pipe, or JSON.
 * Errors: `not-found` for an instance that there is not.
 */
export async function listPins(directory: string, { instance, space, json }: PinFlags): Promise<void> {
  const file = join(directory, "refs.sqlite");
  if (instance !== undefined) checkInstance(instance, file, directory);
  const output = standardOutput();
  let page: ListedRef[] = [];
  let printed = 0;
  const flush = async (): Promise<boolean> => {
    const text = json ? jsonLines(page, printed > 0) : lines(page, output, printed > 0);
    printed += page.length;
    page = [];
    return text === "" || output.write(text);
  };
  if (json) await output.write("[");
  for (const ref of listRefs(file, { instance, space, pinned: true })) {
    if (page.push(ref) >= pageRefs && !(await flush())) return;
  }
  await flush();
  if (json) await output.write(printed === 0 ? "]\n" : "\n]\n");
  else if (printed === 0 && output.forPeople) await output.write("Nothing is pinned\n");
}

function checkInstance(instance: string, file: string, directory: string): void {
  // The one without a name is always there.
  if (instance === "") return;
  const artifacts = openArtifacts(file, systemClock);
  try {
    instanceMeant(instance, artifacts.instances(), directory);
  } finally {
    artifacts.close();
  }
}

function jsonLines(refs: readonly ListedRef[], following: boolean): string {
  const items = refs.map(({ id: _, pinned: __, stored, used, expires, by, ...name }) => ({
    ...name,
    stored: time(stored),
    used: time(used),
    expires: expires === undefined ? null : time(expires),
    by: by ?? null,
  }));
  return items.map((item, i) => `${following || i > 0 ? "," : ""}\n${JSON.stringify(item)}`).join("");
}

function lines(refs: readonly ListedRef[], { forPeople, width }: Output, following: boolean): string {
  if (!forPeople) {
    const cells = refs.map(({ instance, space, used, name }) => [instance, space, time(used), name]);
    return cells.map((row) => `${row.map(printable).join("\t")}\n`).join("");
  }
  if (refs.length === 0) return "";
  const now = systemClock();
  const rows = refs.map(({ instance, space, used, name }) =>
    [instance, space, humanAge(used, now), name].map(printable),
  );
  const table = textTable(columns, rows, width);
  return following ? table.slice(table.indexOf("\n") + 1) : table;
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
