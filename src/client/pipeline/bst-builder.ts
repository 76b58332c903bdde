import { StillageError } from "../../base/errors.ts";
import { whyNot } from "./bst-failure.ts";
import type { BuiltElement } from "./bst-graph.ts";
import { type BstInstallation, bstWords, isNoProgram, noBst } from "./bst-installation.ts";
import { BstOutput, type JobFailure } from "./bst-output.ts";
import type { BuildReport } from "./pipeline.ts";
import { runInGroup } from "./process-group.ts";

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

/**
 * Builds elements with the installed `bst`, in one process for a group, one after the other. All that they are built with is in the local cache; if it has gone
 * meanwhile, `bst` builds it again by itself. Sources that are not there yet are fetched as the user has configured that.
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
    const asked = new Set(left.keys());
    const take = (name: string): BuiltElement | undefined => {
      const element = left.get(name);
      left.delete(name);
      return element;
    };
    const settling: Promise<void>[] = [];
    const output = new BstOutput({
      started: (name) => {
        const element = left.get(name);
        if (element !== undefined) report.started(element);
      },
      built: (name) => {
        const element = take(name);
        if (element !== undefined) report.ended(element, { kind: "built" });
      },
      failed: (name) => {
        const element = take(name);
        if (element !== undefined) settling.push(this.settle(element, report, whyNot(name, output, "", asked)));
      },
    });
    const words = [
      ...[...bstWords(bst), "--on-error", "continue", "--builders", "1", "--network-retries", String(networkRetries)],
      ...["build", "--deps", "none", ...(retryFailed ? ["--retry-failed"] : []), "--", ...left.keys()],
    ];
    const end = await runInGroup(bst.program, words, { signal }, (stream, bytes) => {
      if (stream === "stderr") output.take(bytes);
    });
    output.end();
    await Promise.all(settling);
    if (isNoProgram(end)) throw noBst(bst);
    // What was ended half-way may have left nothing, or all; the next run sees.
    if (end.stopped) signal.throwIfAborted();
    const how = `\`bst build\` ended with ${end.status ?? end.signal}`;
    for (const element of left.values()) {
      await this.settle(element, report, whyNot(element.name, output, how, asked));
    }
  }

  /** The local cache decides what came of an element of which `bst` did not say that it is built; else this is why. */
  private async settle(
    element: BuiltElement,
    report: BuildReport<BuiltElement>,
    { why, log }: JobFailure,
  ): Promise<void> {
    const kept = await this.options.kept(element);
    if (kept === "built") {
      report.ended(element, { kind: "built" });
      return;
    }
    if (log !== undefined) this.failedLogs.set(element.name, log);
    report.ended(element, {
      kind: "failed",
      why: new StillageError("failed-precondition", `${element.name} was not built: ${why}`),
      kept: kept === "failed",
    });
  }
}
