import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { systemClock } from "../base/clock.ts";
import { silentLog } from "../base/log.ts";
import { openBackupLinks } from "../store/disk/backup-links.ts";
import { openCache } from "./open-cache.ts";

test("what a killed backup has left is deleted at start and every hour, and one that is under way is not", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const directory = mkdtempSync(join(tmpdir(), "stillage-cache-"));
  const links = join(directory, "backup/links");
  const store = { quota: undefined, durability: "off", clock: systemClock, log: silentLog } as const;
  const cache = await openCache(directory, store);
  const left = (): void => {
    mkdirSync(links, { recursive: true });
    writeFileSync(join(links, "pack"), "");
  };
  left();
  t.mock.timers.tick(3_600_000);
  while (existsSync(join(directory, "backup"))) await turn();

  const running = await openBackupLinks(directory);
  left();
  t.mock.timers.tick(3_600_000);
  for (let i = 0; i < 100; i++) await turn();
  assert.ok(existsSync(join(links, "pack")));
  await running.close();
  assert.ok(!existsSync(join(directory, "backup")));

  await cache.close();
  left();
  t.mock.timers.tick(3_600_000);
  for (let i = 0; i < 100; i++) await turn();
  assert.ok(existsSync(links));
  await (await openCache(directory, store)).close();
  assert.ok(!existsSync(links));
  rmSync(directory, { recursive: true });
});
