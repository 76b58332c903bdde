import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { parse } from "yaml";
import { checkout } from "../clients/support/checkout.ts";
import { metricsIn, metricsOf, metricsPage, type ShownMetric } from "./metrics-page.ts";

const promtool = join(checkout, ".cache/clients/bin/promtool");
const text = readFileSync(join(checkout, "docs/METRICS.md"), "utf8");
const rulesFile = join(checkout, "deploy/prometheus/alerts.yaml");

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: Readonly<Record<string, string>>;
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly h: number; readonly w: number; readonly x: number; readonly y: number };
  readonly datasource?: { readonly type: string; readonly uid: string };
  readonly fieldConfig?: object;
  readonly options?: object;
  readonly targets?: readonly { readonly refId: string; readonly expr: string }[];
}

interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly query: unknown }[];
  };
}

const { groups } = parse(readFileSync(rulesFile, "utf8")) as { groups: { rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);
const dashboard = JSON.parse(readFileSync(join(checkout, "deploy/grafana/stillage.json"), "utf8")) as Dashboard;

/** Rows of tables: their cells. */
const rows = [...text.matchAll(/^\| (`.*) \|$/gm)].map(([, row = ""]) => row.split(/ ?\| ?/));

describe("what a server tells of itself", () => {
  let page: string;
  let shown: Map<string, ShownMetric>;

  before(async () => {
    page = await metricsPage();
    shown = metricsOf(page);
  });

  it("is what the documentation lists, neither more nor less", () => {
    const listed = rows.filter(([, type = ""]) => /^(counter|gauge|histogram|summary)$/.test(type));
    const names = listed.map(([name = ""]) => name.replaceAll("`", ""));
    assert.deepEqual(names.toSorted(), [...shown.keys()].toSorted());
    for (const [name = "", type, labels = "", help] of listed) {
      const metric = shown.get(name.replaceAll("`", ""));
      assert.deepEqual([type, help], [metric?.type, metric?.help], name);
      const documented = [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label);
      assert.deepEqual(documented, metric?.labels ?? documented, name);
    }
  });

  it("passes promtool", () => {
    execFileSync(promtool, ["check", "metrics"], { input: page, stdio: ["pipe", "pipe", "pipe"] });
  });

  it("is all that alerts and dashboard ask for", () => {
    const queries = dashboard.templating.list.map(({ query }) => JSON.stringify(query));
    const expressions = [
      ...rules.map(({ expr }) => expr),
      ...dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
      ...queries,
    ];
    const unknown = expressions.flatMap((each) => metricsIn(each, shown)).filter((name) => !shown.has(name));
    assert.deepEqual(unknown, []);
  });
});

describe("the alerts", () => {
  it("are listed with what they mean", () => {
    const listed = rows.filter(([name]) => /^`Stillage\w+`$/.test(name ?? ""));
    assert.deepEqual(
      listed.map(([name, severity, summary]) => [name?.replaceAll("`", ""), severity, summary]),
      rules.map(({ alert, labels, annotations }) => [alert, labels.severity, annotations.summary]),
    );
  });

  it("say what is so, what to do, and where more is said", () => {
    for (const { alert, annotations } of rules) {
      for (const each of ["summary", "description", "action"]) assert.ok(annotations[each], `${alert}: ${each}`);
      assert.equal(annotations.runbook, `docs/OPERATING.md#${alert.toLowerCase()}`);
    }
  });

  it("fire and are quiet as they should, each", () => {
    const folder = join(checkout, "deploy/prometheus");
    execFileSync(promtool, ["check", "rules", "alerts.yaml"], { cwd: folder });
    execFileSync(promtool, ["test", "rules", "alerts.test.yaml"], { cwd: folder });
    const { tests } = parse(readFileSync(join(folder, "alerts.test.yaml"), "utf8")) as { tests: { name: string }[] };
    const names = new Set(tests.map(({ name }) => name));
    for (const { alert } of rules) {
      assert.ok(names.has(`${alert} fires`) && names.has(`${alert} is quiet`), alert);
    }
  });
});

describe("the dashboard", () => {
  it("has what Grafana wants of one", () => {
    assert.ok(dashboard.uid !== "" && dashboard.title !== "" && dashboard.schemaVersion >= 39);
    const { panels } = dashboard;
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
    for (const { type, title, gridPos, datasource, fieldConfig, options, targets = [] } of panels) {
      assert.ok(gridPos.x >= 0 && gridPos.x + gridPos.w <= 24 && gridPos.h > 0, title);
      if (type === "row") continue;
      assert.ok(["timeseries", "stat"].includes(type), title);
      assert.deepEqual(datasource, { type: "prometheus", uid: "$" + "{datasource}" }, title);
      assert.ok(fieldConfig !== undefined && options !== undefined && targets.length > 0, title);
      assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length, title);
    }
    const cells = panels.flatMap(({ gridPos: { h, w, x, y } }) =>
      Array.from({ length: h * w }, (_, i) => `${x + (i % w)}:${y + Math.floor(i / w)}`),
    );
    assert.equal(new Set(cells).size, cells.length, "panels lie over one another");
    const variables = dashboard.templating.list.map(({ name }) => name);
    assert.deepEqual(variables, ["datasource", "job", "instance", "instance_name"]);
  });

  it("asks in words that Prometheus understands", () => {
    const folder = mkdtempSync(join(tmpdir(), "stillage-dashboard-"));
    try {
      const expressions = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
      const asRules = expressions.map((expr, i) => ({
        record: `panel:${i}`,
        expr: expr.replaceAll("$__rate_interval", "5m").replaceAll(/\$(job|instance_name|instance)\b/g, "x"),
      }));
      assert.doesNotMatch(JSON.stringify(asRules), /\$[a-z_{]/i, "a variable that there is not");
      const file = join(folder, "panels.yaml");
      writeFileSync(file, JSON.stringify({ groups: [{ name: "panels", rules: asRules }] }));
      execFileSync(promtool, ["check", "rules", file]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
