import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { parse, parseDocument } from "yaml";
import { isProblems, loadConfig } from "../../src/config/load.ts";
import { settingKeys, settings } from "../../src/config/settings.ts";
import { checkout } from "../clients/support/checkout.ts";
import { type Block, blocksOf } from "../docs/markdown.ts";
import { bootMachine, type Machine, whyNoMachine } from "./machine.ts";
import { builtPackage } from "./package.ts";

const page = readFileSync(join(checkout, "docs/OPERATING.md"), "utf8");
const blocks = blocksOf(page);
const languages = ["sh", "sh elsewhere", "sh last", "sh container", "sh npm", "yaml"];

test("the guide's commands do, in its order, what it says, on a machine with systemd", {
  timeout: 280_000,
}, async (t) => {
  const reason = await whyNoMachine();
  if (reason !== undefined) return t.skip(reason);
  for (const { language } of blocks) assert.ok(languages.includes(language), `who runs ${language}?`);
  const deb = await builtPackage();
  await using machine = await bootMachine();
  // As an operator sits there: the package at hand, the name of the machine known.
  await machine.sh(`mkdir -p /srv/guide; cp ${deb} /srv/guide; echo 127.0.0.1 artifacts.example.com >> /etc/hosts`);
  for (const block of blocks) {
    const file = /^# (\/etc\/stillage\/\S+)\n/.exec(block.text)?.[1];
    if (file !== undefined) await machine.sh(`cat > ${file} <<'END'\n${block.text}END`);
    if (block.language === "sh elsewhere") await elsewhere(machine, block.text);
    if (block.language !== "sh") continue;
    const script = block.text
      .replace(/stillage_\S+_amd64\.deb/, basename(deb))
      .replaceAll("dpkg ", "dpkg --no-triggers ");
    await machine.sh(`cd /srv/guide\n${script}`);
  }
  assert.equal(await machine.sh("systemctl show -P MemoryMax stillage"), "4294967296\n");
  assert.match(await machine.sh("systemctl show -P StatusText stillage"), /11001 \(pull\), .*11002 \(pull and push\)/);
  for (const { language, text } of blocks)
    if (language === "sh last") await machine.sh(text.replaceAll("dpkg ", "dpkg --no-triggers "));
  assert.equal((await machine.try("stillage --version")).status, 127);
});

/** Has the store elsewhere for a moment: what follows is about the one that is usual. */
async function elsewhere(machine: Machine, script: string): Promise<void> {
  await machine.sh(script);
  await machine.sh(`systemctl --quiet is-active stillage; test -e /srv/cache/format
    rm /etc/systemd/system/stillage.service.d/store.conf; systemctl daemon-reload
    sed -i 's#^store:.*#store: /var/lib/stillage#' /etc/stillage/stillage.yaml; systemctl restart stillage`);
}

test("what it says of containers is in the container's file", () => {
  const file = readFileSync(join(checkout, "deploy/container/Containerfile"), "utf8");
  const [commands] = blocks.filter(({ language }) => language === "sh container") as [Block];
  const [build = "", ...runs] = commands.text.trim().split("\n");
  assert.ok(existsSync(join(checkout, /-f (\S+)/.exec(build)?.[1] ?? "")));
  const shipped = /^COPY (\S+) \/etc\/stillage\/$/m.exec(file)?.[1] ?? "";
  const loaded = loadConfig({
    ...{ flags: {}, file: join(checkout, shipped), environment: {}, folder: "/nonexistent", systemFile: undefined },
  });
  assert.ok(!isProblems(loaded));
  assert.deepEqual([loaded.config.store, loaded.config.listeners[0]?.address], ["/var/lib/stillage", "0.0.0.0:11001"]);
  // They would win over the file that somebody mounts.
  assert.doesNotMatch(file, /STILLAGE_(?!GRACE)/);
  assert.doesNotMatch(readFileSync(join(checkout, "deploy/systemd/stillage.service"), "utf8"), /STILLAGE_/);
  for (const run of runs) assert.ok(run.includes(`:${/^VOLUME (\S+)$/m.exec(file)?.[1]} `), run);
  assert.ok(runs[0]?.includes(`:${/^EXPOSE (\d+)$/m.exec(file)?.[1]} `));
  assert.match(file, /^USER 11001:11001$/m);
  assert.match(file, /^ENTRYPOINT \["[^"]+"\]$/m);
  assert.match(file, /^HEALTHCHECK .* CMD \["\/usr\/bin\/stillage", "health", .*\]$/m);
  const variables = settingKeys.map((key) => settings[key].variable);
  const used = [...`${file}${page}`.matchAll(/\b(STILLAGE_[A-Z_]+)/g)].map(([, name = ""]) => name);
  assert.deepEqual(
    used.filter((name) => !variables.includes(name)),
    [],
  );
});

test("the package for npm is installed as its own test does", () => {
  const tested = readFileSync(join(checkout, "test/package/package.test.ts"), "utf8");
  const commands =
    blocks
      .find(({ language }) => language === "sh npm")
      ?.text.trim()
      .split("\n") ?? [];
  assert.deepEqual(
    commands.map((line) => line.split(" ").slice(0, 2).join(" ")),
    ["npm pack", "npm install"],
  );
  for (const word of ["pack", "install"]) assert.ok(tested.includes(`runOk("npm", ["${word}"`));
});

test("every snippet of YAML is YAML, every unit that is named is there", () => {
  for (const { text } of blocks.filter(({ language }) => language === "yaml"))
    assert.deepEqual(parseDocument(text).errors, []);
  const units = [...page.matchAll(/\b((?:stillage|bst)[\w-]*\.(?:service|socket))\b/g)].map(([, unit = ""]) => unit);
  for (const unit of new Set(units)) assert.ok(existsSync(join(checkout, "deploy/systemd", unit)), unit);
});

test("every alert has a section, and every section an alert", () => {
  const rules = join(checkout, "deploy/prometheus/alerts.yaml");
  const part = /^## Alerts$([\s\S]*?)^## /m.exec(page)?.[1] ?? "";
  const sections = [...part.matchAll(/^### (\S+)$/gm)].map(([, name = ""]) => name);
  assert.notEqual(sections.length, 0);
  const { groups } = parse(readFileSync(rules, "utf8")) as {
    groups: { rules: { alert?: string; annotations?: { runbook?: string } }[] }[];
  };
  const alerts = groups.flatMap((group) => group.rules).filter(({ alert }) => alert !== undefined);
  assert.deepEqual(sections.toSorted(), alerts.map(({ alert }) => alert).toSorted());
  for (const { alert, annotations } of alerts) {
    assert.equal(annotations?.runbook, `docs/OPERATING.md#${alert?.toLowerCase()}`);
  }
});

test("the page's own links lead to its headings", () => {
  const anchors = [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w -]/g, "")
      .replaceAll(" ", "-"),
  );
  const links = [...page.matchAll(/\]\(#([^)]+)\)/g)].map(([, link = ""]) => link);
  assert.deepEqual(
    links.filter((link) => !anchors.includes(link)),
    [],
  );
});
