import type { Answer } from "../client/connection/answer.ts";
import { type RemoteCheck, works } from "../client/connection/check-remotes.ts";
import type { RemoteProtocol } from "../client/connection/remote-place.ts";
import { shownUrl } from "../client/shown-url.ts";
import { humanSize, printable } from "./human-text.ts";
import { textTable } from "./text-table.ts";

const columns = [
  { title: "REMOTE" },
  { title: "STATE" },
  { title: "PRODUCT", flexible: true },
  { title: "ARTIFACTS OF", flexible: true },
  { title: "PULL" },
  { title: "PUSH" },
  { title: "ANSWERS IN" },
  { title: "CERTIFICATE" },
];

/** For people: a table, and below it what is wrong, and what is allowed and not made use of. */
export function checkTable(checks: readonly RemoteCheck[], width: number): string {
  if (checks.length === 0) return "No remote is configured.\n";
  const rows = checks.map((check) => {
    const { spec, place, latencyMs } = check;
    return [
      spec.name,
      stateOf(check),
      productOf(check),
      generationsOf(check),
      place === undefined ? "-" : yesOrNo(check, "pull"),
      place === undefined ? "-" : `${yesOrNo(check, "push")}${isUnusedPush(check) ? ", not set" : ""}`,
      latencyMs === undefined ? "-" : `${latencyMs.toFixed(latencyMs < 10 ? 1 : 0)} ms`,
      place?.certificateEnd === undefined ? "-" : `until ${new Date(place.certificateEnd).toISOString().slice(0, 10)}`,
    ].map(printable);
  });
  const notes = checks.flatMap(notesOf).map(printable);
  return `${textTable(columns, rows, width)}${notes.length === 0 ? "" : `\n${notes.join("\n")}\n`}`;
}

function notesOf({ spec, proxy, error, shortcomings, warnings, place }: RemoteCheck): string[] {
  const { maxBlobBytes = 0 } = place?.storage ?? {};
  const limits = maxBlobBytes === 0 ? [] : [`it takes no blobs of more than ${humanSize(maxBlobBytes)}`];
  const way = proxy === undefined ? [] : [`it is asked by way of the proxy ${proxy}`];
  const found = error === undefined ? [] : [error.message, ...(error.hint === undefined ? [] : [`  ${error.hint}`])];
  return [...found, ...[...shortcomings, ...warnings, ...limits, ...way].map((each) => `${spec.name}: ${each}`)];
}

/** For programs: a line for each with tabs between. */
export function checkTabs(checks: readonly RemoteCheck[]): string {
  const lines = checks.map((check) => {
    const { spec, place, proxy, latencyMs, error, shortcomings } = check;
    const { certificateEnd, storage } = place ?? {};
    return [
      spec.name,
      shownUrl(spec.url),
      stateOf(check),
      productOf(check),
      (place?.protocols ?? []).map(({ name }) => name).join(","),
      yesOrNo(check, "pull"),
      yesOrNo(check, "push"),
      latencyMs?.toFixed(1) ?? "",
      certificateEnd === undefined ? "" : new Date(certificateEnd).toISOString(),
      storage?.maxBatchBytes ? String(storage.maxBatchBytes) : "",
      storage?.maxBlobBytes ? String(storage.maxBlobBytes) : "",
      [...(error === undefined ? [] : [error.message]), ...shortcomings].join("; "),
      proxy ?? "",
    ];
  });
  return lines.map((cells) => `${cells.map(printable).join("\t")}\n`).join("");
}

/** All that was found out. */
export function checkJson(checks: readonly RemoteCheck[]): string {
  const all = checks.map((check) => {
    const { spec, place, proxy, latencyMs, error, shortcomings, warnings } = check;
    const { name, url, type, push, instanceName, origin } = spec;
    const { product, protocols = [], storage, certificateEnd } = place ?? {};
    return {
      ...{
        name,
        url: shownUrl(url),
        type,
        configuredPush: push,
        instanceName,
        origin,
        state: stateOf(check),
        works: works(check),
      },
      proxy: proxy ?? null,
      product: product ?? null,
      protocols: protocols.map(protocolJson),
      pull: mayDo(check, "pull"),
      push: mayDo(check, "push"),
      latencyMs: latencyMs ?? null,
      certificateEnd: certificateEnd === undefined ? null : new Date(certificateEnd).toISOString(),
      maxBatchBytes: storage?.maxBatchBytes || null,
      maxBlobBytes: storage?.maxBlobBytes || null,
      error: error === undefined ? null : { code: error.code, message: error.message, hint: error.hint ?? null },
      shortcomings,
      warnings,
    };
  });
  return `${JSON.stringify(all, undefined, 2)}\n`;
}

function protocolJson({ name, generation, pull, push }: RemoteProtocol): object {
  return { name, generation: generation ?? null, pull: answerJson(pull), push: answerJson(push) };
}

function answerJson(answer: Answer): object {
  return { answer: answer.kind, why: "error" in answer ? answer.error.message : null };
}

function stateOf(check: RemoteCheck): "works" | "limited" | "fails" {
  if (check.error !== undefined) return "fails";
  return works(check) ? "works" : "limited";
}

function productOf({ place }: RemoteCheck): string {
  return place?.product === undefined ? "" : `${place.product.name} ${place.product.version}`;
}

/** The generations that it names, and blobs; or what it has of these. */
function generationsOf({ place }: RemoteCheck): string {
  const { protocols = [], generations = [] } = place ?? {};
  const there = protocols.filter(({ pull }) => pull.kind === "allowed");
  const blobs = there.some(({ name }) => name === "CAS" || name === "OSTree");
  if (generations.length === 0) return blobs ? "no names, blobs alone" : "";
  return `${generations.join(", ")}${blobs ? "" : " (names alone)"}`;
}

/** Whether there is anything that may be pulled, or pushed, of each part that the server is to have. */
function mayDo({ spec, place }: RemoteCheck, right: "pull" | "push"): boolean {
  const may = (place?.protocols ?? []).filter((each) => {
    const { kind } = each[right];
    return kind === "allowed" || (right === "push" && each.name === "CAS" && kind === "unasked");
  });
  const names = may.some(({ generation }) => generation !== undefined);
  const blobs = may.some(({ name }) => name === "CAS" || name === "OSTree");
  return (spec.type === "storage" || names) && (spec.type === "index" || blobs);
}

function yesOrNo(check: RemoteCheck, right: "pull" | "push"): "yes" | "no" {
  return mayDo(check, right) ? "yes" : "no";
}

function isUnusedPush(check: RemoteCheck): boolean {
  return !check.spec.push && mayDo(check, "push");
}
