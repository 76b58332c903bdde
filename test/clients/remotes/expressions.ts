import type { ConfiguredCase } from "./configured-case.ts";

/** Conditions on `where` ("work"), `fast` (true), `slow` (false), `parts` (["a", "c"]) and `none_of` ([]), each of which adds a remote where it holds. */
const expressions = [
  'where == "work"',
  "where == 'home'",
  'where != "work"',
  'where in ("home", "work")',
  "where in ['home']",
  'where not in ["home", "train",]',
  '"or" in where',
  "fast",
  "not fast",
  "not not fast",
  "slow or fast",
  "slow and fast",
  "fast or nothing",
  "slow and nothing",
  "not slow and fast",
  "not (slow and fast)",
  "slow or fast and slow",
  "(slow or fast) and (fast)",
  "fast == True",
  "fast == true and slow == false",
  "fast == 1",
  'fast == "True"',
  "slow != fast",
  '"a" in parts',
  '"b" in parts or "c" in parts',
  'not "b" in parts',
  'parts == ["a", "c"]',
  'parts == ("a", "c")',
  "parts",
  "none_of",
  "not none_of",
  "where",
  'where < "zebra"',
  'where <= "work" and where >= "work"',
  '"a" < where < "b"',
  '"a" < where != "b"',
  "1 < 2 < 3",
  "2 > 1 == True",
  "none",
  "not None",
  "(where)",
  "[] or ()",
  "fast and where == 'work' and not slow and 'c' in parts",
  "  where   ==\t'work'  ",
];

const options = [
  "  where: {type: enum, description: Where, values: [home, work], default: work}",
  "  fast: {type: bool, description: Fast, default: true}",
  "  slow: {type: bool, description: Slow, default: false}",
  "  parts: {type: flags, description: Parts, values: [a, b, c], default: [a, c]}",
  "  none_of: {type: flags, description: None, values: [a], default: []}",
];

/** One project with all of them; and some that have no value, each in a project of its own. */
export function expressionCases(head: string): readonly ConfiguredCase[] {
  const project = `${head}options:\n${options.join("\n")}\nartifacts: []\n(?):\n`;
  const conditions = expressions.map(
    (text, i) => `- ${JSON.stringify(text)}:\n    artifacts: {(>): [{url: 'https://${i}'}]}\n`,
  );
  const wrong = [
    "nothing",
    "slow or nothing",
    "where ==",
    "(fast",
    "fast fast",
    '"a" < 1',
    '"a" in fast',
    "",
    "[fast",
    "where = 'work'",
    "'open",
  ];
  return [
    { says: "conditions of every kind", project: project + conditions.join("") },
    ...wrong.map(
      (text): ConfiguredCase => ({
        says: `the condition ${JSON.stringify(text)}`,
        project: `${project}- ${JSON.stringify(text)}: {artifacts: []}\n`,
        refused: true,
      }),
    ),
  ];
}
