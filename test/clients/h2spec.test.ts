import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { makeCertificates } from "./support/certificates.ts";
import { clientsFolder, installed } from "./support/checkout.ts";
import { runProgram } from "./support/program.ts";
import { startServer } from "./support/stillage.ts";
import { createWorkspace, type Workspace } from "./support/workspace.ts";

/** A page whose answer has a body, which several of h2spec's cases need. */
const page = "/healthz";

/** h2spec has about 146 cases; far fewer in a report would mean that it stopped in the middle. */
const fewestCases = 140;

/** Cases that do not pass, as the report names them, with the reason. */
const exceptions: Readonly<Record<string, string>> = {
  "http2/3.5 Sends invalid connection preface": "the port speaks HTTP/1.1 too, and says 400 in it before it closes",
};

describe("HTTP/2 as h2spec checks it", () => {
  test("on a plain listener", async () => {
    await using workspace = await createWorkspace();
    await using server = await startServer(await workspace.folder("store"));
    await assertConforms(workspace, server.address, []);
  });

  test("on a listener with TLS", async () => {
    await using workspace = await createWorkspace();
    const { server: own } = await makeCertificates(await workspace.folder("certificates"));
    const listen = `address=127.0.0.1:0,push=true,cert=${own.certificate},key=${own.key}`;
    await using server = await startServer(await workspace.folder("store"), ["--listen", listen]);
    await assertConforms(workspace, server.address, ["-t", "-k"]);
  });
});

async function assertConforms(workspace: Workspace, address: string, options: readonly string[]): Promise<void> {
  const h2spec = await installed(join(clientsFolder, "bin/h2spec"), "h2spec.sh");
  const [host = "", port = ""] = address.split(":");
  const report = join(await workspace.folder("report"), "report.xml");
  const words = ["--host", host, "--port", port, "--path", page, "--strict", "--junit-report", report, ...options];
  const { stdout } = await runProgram(h2spec, words);
  const cases = parseReport(await readFile(report, "latin1"));
  assert.ok(cases.length >= fewestCases, `only ${cases.length} cases ran:\n${stdout}`);
  const failed = cases.filter((one) => !one.passed).map((one) => one.name);
  assert.deepEqual(failed, Object.keys(exceptions), stdout.slice(stdout.indexOf("Failures:")));
}

interface Case {
  readonly name: string;
  readonly passed: boolean;
}

/** The report is JUnit's XML, but for bytes of the exchange in it that are no XML: so it is read line by line. A case that skipped itself says so. */
function parseReport(report: string): Case[] {
  return [...report.matchAll(/<testcase package="([^"]*)" classname="([^"]*)"[^>]*>(.*?)<\/testcase>/gs)].map(
    ([, section, title, outcome = ""]) => ({ name: `${section} ${title}`, passed: !/<(error|failure)>/.test(outcome) }),
  );
}
