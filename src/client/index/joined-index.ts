import type { ArtifactContent } from "../../artifact/artifact-content.ts";
import { StillageError } from "../../base/errors.ts";
import { type Generation, generations } from "../../store/artifact-refs.ts";
import type { ArtifactIndex, ArtifactQuestion, IndexedArtifact } from "../artifact-index.ts";
import type { RemoteCalls } from "../connection/remote-calls.ts";
import { listArtifacts } from "./listed-index.ts";
import type { ProtocolIndex } from "./protocol-index.ts";

/** The order in which generations are asked for: who asks for whatever there is has a project of today, as a rule. */
const inOrder: readonly Generation[] = generations.toReversed();

export interface JoinedIndexOptions {
  readonly calls: RemoteCalls;
  /** One for each protocol that the server speaks; of two for one generation the first is asked first. */
  readonly protocols: readonly ProtocolIndex[];
  /** Whether it has our API, which is the only one that lists names. */
  readonly listed: boolean;
}

/** What a server has by all the protocols that it speaks. */
export function joinedIndex({ calls, protocols, listed }: JoinedIndexOptions): ArtifactIndex {
  const sorted = inOrder.flatMap((generation) => protocols.filter((each) => each.generation === generation));
  const spoken = (generation: Generation | undefined): readonly ProtocolIndex[] =>
    sorted.filter((each) => generation === undefined || each.generation === generation);
  const find = (question: ArtifactQuestion, signal: AbortSignal) =>
    findInAny(spoken(question.generation), question, signal);
  return {
    generations: [...new Set(sorted.map(({ generation }) => generation))],
    ...(listed && { newestFirst: true as const }),
    find,
    list: (globs, signal) => (listed ? listArtifacts(calls, globs, find, signal) : cannotList(calls.name)),
    async publish(artifact: IndexedArtifact, content: ArtifactContent, signal: AbortSignal) {
      const { generation } = artifact;
      const places = spoken(generation);
      if (places.length === 0) {
        throw new StillageError(
          "unsupported",
          `${calls.name} has no names for artifacts of BuildStream ${generation}`,
          {
            hint: `it has ${sorted.map((each) => each.generation).join(", ") || "none"}; \`stillage remote check\` shows what it speaks`,
          },
        );
      }
      const outcomes: ("published" | "present")[] = [];
      for (const each of places) outcomes.push(await each.publish(artifact, content, signal));
      return outcomes.includes("published") ? "published" : "present";
    },
  };
}

/** All are asked at once; what counts is the first in order that has it. An error counts only where none has. */
async function findInAny(
  protocols: readonly ProtocolIndex[],
  question: ArtifactQuestion,
  signal: AbortSignal,
): Promise<IndexedArtifact | undefined> {
  const answers = await Promise.allSettled(protocols.map((each) => each.find(question, signal)));
  const found = answers.find((each) => each.status === "fulfilled" && each.value !== undefined);
  if (found?.status === "fulfilled") return found.value;
  const failed = answers.find((each) => each.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return undefined;
}

// biome-ignore lint/correctness/useYield: there is nothing to give
async function* cannotList(name: string): AsyncIterable<IndexedArtifact> {
  throw new StillageError(
    "unsupported",
    `${name} cannot say which artifacts it has: its protocols find them only by whole names`,
    {
      hint: "give names as PROJECT/ELEMENT/KEY, or elements of a project; only Stillage's own servers can be listed",
    },
  );
}
