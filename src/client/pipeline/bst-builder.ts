import { StillageError } from "../../base/errors.ts";
import type { BuiltElement } from "./bst-graph.ts";
import { type BstInstallation, bstWords, isNoProgram, noBst, plainLines } from "./bst-installation.ts";
import { BstOutput } from "./bst-output.ts";
import type { BuildReport } from "./pipeline.ts";
import { runInGroup } from "./process-group.ts";

/** Lines of what `bst` said that a message has. */
const toldLines = 12;

export interface BstBuilderOptions {
  /** Its user configuration has no servers for artifacts, and messages in our format. */
  readonly bst: BstInstallation;
  /** Builds again what has failed before. */
  readonly retryFailed: boolean;
  /** Tries of fetching sources. */
  readonly networkRetries: number;
  /** How the local cache's artifact of an element was built; `undefined` where it has none. */
  kept(element: BuiltElement): Promise<"built" | "failed" | undefined>;
}

/** Kinds that run nothing in a sandbox: each takes milliseconds, and starting `bst` for it half a second. (A `compose` runs what its dependencies integrate with.) */
const quickKinds: ReadonlySet<string> = new Set(["import", "stack", "filter"]);

export const isQuick = ({ kind, workspaced }: BuiltElement): boolean => quickKinds.has(kind) && !workspaced;

/**
 * Builds elements with the installed `bst`, in one process for a group, one after the other. All that they are built with is in the local cache; if it has gone
 * meanwhile, `bst` builds it again by itself. Sources are fetched as the user has configured that.
 */
export class BstBuilder {
  /** Paths of the logs of failed builds, by element. */
  readonly failedLogs = new Map<string, string>();
  private readonly options: BstBuilderOptions;

  constructor(options: BstBuilderOptions) {
    this.options = options;
  }

  /** The signal ends it: gently, so that sandboxes are taken down, and then hard. */
  async build(
    elements: readonly BuiltElement[],
    report: BuildReport<BuiltElement>,
    signal: AbortSignal,
  ): Promise<void> {
    const { bst, retryFailed, networkRetries } = this.options;
    const left = new Map(elements.map((element) => [element.name, element]));
    const output = new BstOutput({
      started: (name) => {
        const element = left.get(name);
        if (element !== undefined) report.started(element);
      },
      built: (name) => {
        const element = left.get(name);
        if (element === undefined) return;
        left.delete(name);
        report.ended(element, { kind: "built" });
      },
    });
    const words = [
      ...[...bstWords(bst), "--on-error", "continue", "--builders", "1", "--network-retries", String(networkRetries)],
      ...["build", "--deps", "none", ...(retryFailed ? ["--retry-failed"] : []), "--", ...left.keys()],
    ];
    const end = await runInGroup(bst.program, words, { directory: bst.directory, signal }, (stream, bytes) => {
      if (stream === "stderr") output.take(bytes);
    });
    output.end();
    if (isNoProgram(end)) throw noBst(bst);
    // What was ended half-way may have left nothing, or all; the next run sees.
    if (end.stopped) signal.throwIfAborted();
    for (const element of left.values()) await this.settle(element, output, end.status ?? end.signal, report);
  }

  /** The local cache decides what came of an element of which `bst` did not say that it is built. */
  private async settle(
    element: BuiltElement,
    output: BstOutput,
    status: number | string | undefined,
    report: BuildReport<BuiltElement>,
  ): Promise<void> {
    const kept = await this.options.kept(element);
    if (kept === "built") {
      report.ended(element, { kind: "built" });
      return;
    }
    const failure = output.failures.get(element.name);
    if (failure?.log !== undefined) this.failedLogs.set(element.name, failure.log);
    const why = failure?.why ?? `\`bst build\` ended with ${status}: ${lastOf(output)}`;
    report.ended(element, {
      kind: "failed",
      why: new StillageError("failed-precondition", `${element.name} was not built: ${why}`),
      kept: kept === "failed",
    });
  }
}

const lastOf = ({ lines }: BstOutput): string => plainLines(lines.join("\n")).slice(-toldLines).join("; ");
