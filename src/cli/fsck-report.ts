import { type FindingKind, kinds } from "../check/findings.ts";
import type { FsckProgress, FsckResult } from "../check/fsck.ts";
import { printable } from "./human-text.ts";
import { readable } from "./readable.ts";

/** Findings of one kind that people are shown; the rest is counted. */
const shownOfKind = 20;

/** For machines: everything. */
export function fsckAsJson({ findings, ...counted }: FsckResult, repair: boolean): string {
  const found = [...findings.counts].map(([kind, count]) => ({
    kind,
    ...kinds[kind],
    count,
    shown: findings.kept
      .filter((each) => each.kind === kind)
      .map(({ where, what, repaired }) => ({ where, what, repaired })),
  }));
  const { wrong, unrepaired } = findings;
  return `${JSON.stringify({ ...counted, repair, wrong, unrepaired, findings: found }, undefined, 2)}\n`;
}

/** For people: what is right, then what is wrong, what that means, and what a repair does about it. */
export function fsckAsText(result: FsckResult, repair: boolean): string {
  const { directory, packs, files, blobs, refs, bytes, milliseconds, findings } = result;
  const rate = readable(bytes / Math.max(milliseconds / 1000, 0.001));
  const lines = [
    `${printable(directory)}: ${blobs} blobs whole, in ${packs} packs and ${files} files; ${refs} names; ${readable(bytes)} read at ${rate} a second`,
  ];
  const order = [...findings.counts].sort(([a], [b]) => rank(a) - rank(b));
  for (const [kind, count] of order) lines.push(...section(result, kind, count, repair));
  lines.push(verdict(result, repair));
  return `${lines.join("\n")}\n`;
}

function rank(kind: FindingKind): number {
  return kinds[kind].severity === "wrong" ? 0 : 1;
}

function section({ findings }: FsckResult, kind: FindingKind, count: number, repair: boolean): string[] {
  const { severity, meaning, repair: mends } = kinds[kind];
  const shown = findings.kept.filter((each) => each.kind === kind);
  const repaired = shown.length > 0 && shown.every((each) => each.repaired);
  const lines = [`${severity}: ${kind}, ${count}: ${meaning}`];
  for (const { where, what } of shown.slice(0, shownOfKind)) lines.push(`  ${printable(where)}: ${printable(what)}`);
  if (count > shownOfKind) lines.push(`  ${count - Math.min(shown.length, shownOfKind)} more like these`);
  lines.push(repair && repaired ? `  repaired: ${mends}` : `  a repair: ${mends}`);
  return lines;
}

function verdict({ findings: { wrong, unrepaired } }: FsckResult, repair: boolean): string {
  if (wrong === 0) return "nothing is wrong";
  if (!repair) return `${wrong} ${wrong === 1 ? "thing is" : "things are"} wrong; --repair mends what can be mended`;
  return unrepaired === 0 ? "all that was wrong is repaired" : `${unrepaired} of ${wrong} things are wrong still`;
}

export function fsckProgressLine({ doing, bytes, total }: FsckProgress): string {
  if (total === 0) return doing;
  const share = Math.min(100, Math.floor((100 * bytes) / total));
  return `${doing}: ${readable(bytes)} of ${readable(total)} read (${share} %)`;
}
