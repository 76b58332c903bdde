import { parseArgs } from "node:util";
import type { Outcome, Target } from "./case.ts";
import { runSuite } from "./suite.ts";

const usage = `usage: node test/conformance/run.ts URL [options]

Runs the conformance suite against the cache server at URL (grpc://HOST:PORT) and prints a line for each case.
It writes: use a cache that may be thrown away. The exit status is 1 where a case failed.

  --instance NAME       the instance to use (default: the empty name); more of them are other tenants
  --pull-only URL       the same cache where push is off
  --index-only URL      a server that was told to be an index alone
  --storage-only URL    a server that was told to be a storage alone
  --small URL           a server that was told to hold less than 256 MiB
  --older URL           the same cache, where it serves BuildStream before 2, too
  --only PREFIX         only the cases whose id begins so
  --json                print a JSON document instead
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    instance: { type: "string", multiple: true },
    "pull-only": { type: "string" },
    "index-only": { type: "string" },
    "storage-only": { type: "string" },
    small: { type: "string" },
    older: { type: "string" },
    only: { type: "string" },
    json: { type: "boolean" },
    help: { type: "boolean" },
  },
});

const marks = { passed: "ok  ", failed: "FAIL", skipped: "skip" };

function printLine({ case: { id, title }, result, why }: Outcome): void {
  console.log(`${marks[result]}  ${id.padEnd(46)}  ${title}${why === undefined ? "" : `\n      ${why}`}`);
}

async function main(): Promise<number> {
  const [url] = positionals;
  if (values.help || url === undefined || positionals.length > 1) {
    console.log(usage);
    return values.help ? 0 : 2;
  }
  const [instance = "", ...others] = values.instance ?? [];
  const target: Target = {
    url,
    instance,
    others,
    ...(values["pull-only"] !== undefined && { pullOnly: values["pull-only"] }),
    ...(values["index-only"] !== undefined && { indexOnly: values["index-only"] }),
    ...(values.older !== undefined && { older: values.older }),
    ...(values.small !== undefined && { small: values.small }),
    ...(values["storage-only"] !== undefined && { storageOnly: values["storage-only"] }),
  };
  const outcomes = await runSuite(target, { only: values.only ?? "", seen: values.json ? () => {} : printLine });
  const count = (result: Outcome["result"]) => outcomes.filter((each) => each.result === result).length;
  const counts = { passed: count("passed"), failed: count("failed"), skipped: count("skipped") };
  if (values.json) {
    const cases = outcomes.map(({ case: { id, title, source }, result, why }) => ({ id, title, source, result, why }));
    console.log(JSON.stringify({ ...counts, cases }, undefined, 2));
  } else console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  return counts.failed > 0 ? 1 : 0;
}

process.exitCode = await main();
