import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { type ProgramResult, runOk, runProgram } from "../clients/support/program.ts";
import { createWorkspace } from "../clients/support/workspace.ts";
import { bootMachine, type Machine, whyNoMachine } from "./machine.ts";
import { buildPackage, builtPackage } from "./package.ts";

const units = ["stillage.service", "bst-artifact-serve.service", "bst-artifact-serve-receive.service"];

/** What systemd-analyze(1) may find a service exposed to, in tenths of 10. What is left: the network, and code made at run time. */
const maxExposure = 15;

/** Ten times what either takes on two cores that have nothing else to do. */
const limitMs = 280_000;

const newer = "9999-1";
let linted: Promise<ProgramResult> | undefined;

test("the same build gives the same bytes", async () => {
  await using workspace = await createWorkspace();
  const deb = await builtPackage();
  // It takes as long as all that follows, and can go on meanwhile.
  linted = runProgram("lintian", ["--no-cfg", "--allow-root", "--fail-on", "error", deb], { timeoutMs: limitMs });
  linted.catch(() => {});
  const again = await buildPackage(await workspace.folder("again"));
  assert.equal(await sum(again), await sum(deb));
});

test("a machine with systemd runs it, from installation to purge", { timeout: limitMs }, async (t) => {
  const reason = await whyNoMachine();
  if (reason !== undefined) return t.skip(reason);
  await using workspace = await createWorkspace();
  const deb = await builtPackage();
  const upgrade = await newerPackage(deb, await workspace.folder("newer"));
  await using machine = await bootMachine();
  const untouched = machine.changes();

  await t.test("it installs without the network, starts, and serves with its own Node", async () => {
    await machine.sh(`dpkg --no-triggers -i ${deb}`);
    assert.equal(await property(machine, "ActiveState"), "active");
    assert.match(await property(machine, "StatusText"), /^serves on 127\.0\.0\.1:11001 \(pull and push\); \d+ kB$/);
    await blob(machine, "put", "127.0.0.1:11001", "kept");
    const pid = await property(machine, "MainPID");
    assert.equal(await machine.sh(`readlink /proc/${pid}/exe`), "/usr/lib/stillage/runtime/node\n");
    assert.equal(await machine.sh(`stat -c %U /proc/${pid}`), "stillage\n");
    assert.equal(await machine.sh("stat -c '%U %a' /var/lib/stillage"), "stillage 750\n");
    assert.equal(await machine.sh("stat -c '%U:%G %a' /etc/stillage"), "root:stillage 750\n");
  });

  await t.test("what it loads of the system is in packages that it depends on", async () => {
    const pid = await property(machine, "MainPID");
    const maps = await machine.sh(`awk '$6 ~ /\\.(so|node)/ { print $6 }' /proc/${pid}/maps | sort -u`);
    const files = maps.trim().split("\n");
    const depends = await machine.sh("dpkg -s stillage | sed -n 's/^Depends: //p'");
    for (const file of files.filter((each) => !each.startsWith("/usr/lib/stillage/"))) {
      const owner = await machine.sh(`dpkg -S ${file} 2>/dev/null || dpkg -S ${file.replace(/^\/usr/, "")}`);
      assert.ok(depends.includes(owner.split(":")[0] ?? ""), `${owner} is not in ${depends}`);
    }
    const addon = 'require("@napi-rs/blake-hash").blake3(Buffer.from("")).toString("hex").slice(0, 8)';
    const hashed = `cd /usr/lib/stillage; LD_LIBRARY_PATH=runtime runtime/node -p '${addon}'`;
    assert.equal(await machine.sh(hashed), "af1349b9\n");
  });

  await t.test("systemd finds nothing wrong with the units, and little that they are exposed to", async () => {
    const names = [...units, "stillage-pull.socket", "stillage-push.socket"].join(" ");
    const { stdout, stderr, status } = await machine.try(`systemd-analyze verify ${names}`);
    assert.deepEqual({ stdout, stderr, status }, { stdout: "", stderr: "", status: 0 });
    for (const unit of units) {
      const file = `/usr/lib/systemd/system/${unit}`;
      await machine.sh(`systemd-analyze security --offline=true --threshold=${maxExposure} ${file}`);
    }
  });

  await t.test("its programs, manual pages and completion are there", async () => {
    assert.match(await machine.sh("stillage --version"), /^\d+\.\d+\.\d+\n$/);
    assert.match(await machine.sh("bst-artifact-server --help"), /--enable-push/);
    assert.match(await machine.sh("bst-artifact-receive --help"), /--pull-url/);
    assert.equal(await machine.sh("stillage config check"), "/etc/stillage/stillage.yaml is fine\n");
    const others = await machine.try("runuser --user nobody -- stillage store stats --store /var/lib/stillage");
    assert.equal(others.status, 1);
    assert.match(
      others.stderr,
      /this user may not read \/var\/lib\/stillage, which belongs to stillage\n.*run it as stillage/,
    );
    await machine.sh("test -e /usr/share/stillage/alerts.yaml && test -e /usr/share/stillage/grafana.json");
    for (const page of [
      "1 stillage",
      "1 stillage-store-fsck",
      "1 bst-artifact-server",
      "1 bst-artifact-receive",
      "5 stillage.yaml",
    ]) {
      const [section, name] = page.split(" ");
      assert.equal(
        await machine.sh(
          `zcat /usr/share/man/man${section}/${name}.${section}.gz | man --warnings -l - 2>&1 >/dev/null`,
        ),
        "",
      );
    }
    const completed = (words: string): Promise<string> =>
      machine.sh(`. /usr/share/bash-completion/completions/stillage; COMP_WORDS=(${words}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
        _stillage; echo "\${COMPREPLY[*]}"`);
    assert.match(await completed("stillage conf"), /^config$/m);
    assert.match(await completed("stillage config sh"), /^show$/m);
    assert.match(await completed("stillage serve --quo"), /^--quota$/m);
  });

  await t.test("reloading ends, and a server that hangs is started anew", async () => {
    await machine.sh("systemctl reload stillage");
    const [pid, restarts] = [await property(machine, "MainPID"), Number(await property(machine, "NRestarts"))];
    await machine.sh(`mkdir -p /run/systemd/system/stillage.service.d
      printf '[Service]\\nWatchdogSec=2s\\n' > /run/systemd/system/stillage.service.d/test.conf
      systemctl daemon-reload; systemctl restart stillage
      kill -STOP "$(systemctl show -P MainPID stillage)"
      until [ "$(systemctl show -P NRestarts stillage)" -gt ${restarts} ] && systemctl --quiet is-active stillage; do sleep 0.1; done
      rm -r /run/systemd/system/stillage.service.d; systemctl daemon-reload`);
    assert.notEqual(await property(machine, "MainPID"), pid);
    assert.match(await machine.sh("journalctl -u stillage --no-pager"), /Watchdog timeout/);
    await blob(machine, "get", "127.0.0.1:11001", "kept");
  });

  await t.test("sockets of systemd's start it, and outlive it", async () => {
    await machine.sh(`systemctl stop stillage
      sed -i '/^listeners:/,/^$/d' /etc/stillage/stillage.yaml
      printf '# mine\\nlisteners:\\n- address: systemd:pull\\n  push: false\\n- address: systemd:push\\n' >> /etc/stillage/stillage.yaml
      systemctl enable --now --quiet stillage-pull.socket stillage-push.socket`);
    assert.equal(await property(machine, "ActiveState"), "inactive");
    await blob(machine, "get", "127.0.0.1:11001", "kept");
    // It serves before systemd has heard that it does: this joins the start that the socket began, and ends with it.
    await machine.sh("systemctl start stillage");
    assert.equal(await property(machine, "ActiveState"), "active");
    await assert.rejects(blob(machine, "put", "127.0.0.1:11001", "refused"));
    await blob(machine, "put", "127.0.0.1:11002", "by socket");
  });

  await t.test("an upgrade starts the new one, and keeps the store and the settings", async () => {
    const pid = await property(machine, "MainPID");
    await machine.sh(`dpkg --no-triggers --force-confold -i ${upgrade}`);
    assert.match(await machine.sh("dpkg -s stillage"), /^Version: 9999-1$/m);
    assert.notEqual(await property(machine, "MainPID"), pid);
    assert.equal(await property(machine, "ActiveState"), "active");
    await blob(machine, "get", "127.0.0.1:11001", "kept");
    await blob(machine, "get", "127.0.0.1:11001", "by socket");
    assert.match(await machine.sh("cat /etc/stillage/stillage.yaml"), /^# mine$/m);
    assert.match(await machine.sh("cat /etc/stillage/stillage.yaml.dpkg-dist"), /^# newer$/m);
    await machine.sh("rm /etc/stillage/stillage.yaml.dpkg-dist");
  });

  await t.test("BuildStream's two servers share its store", async () => {
    await machine.sh(`cd /etc/stillage; systemctl disable --now --quiet stillage-pull.socket stillage-push.socket
      openssl req -new -newkey rsa:2048 -x509 -days 2 -nodes -batch -subj /CN=s -addext subjectAltName=IP:127.0.0.1 -out server.crt -keyout server.key
      openssl req -new -newkey rsa:2048 -x509 -days 2 -nodes -batch -subj /CN=c -out client.crt -keyout client.key
      cat client.crt > authorized.crt; chgrp stillage server.key; chmod 640 server.key
      systemctl start bst-artifact-serve bst-artifact-serve-receive`);
    assert.equal(await property(machine, "ActiveState"), "inactive", "the other unit still has the store");
    const keys = await workspace.folder("keys");
    for (const name of ["server.crt", "client.crt", "client.key"]) {
      await runOk("bash", ["-c", 'cat > "$0"', join(keys, name)], {
        input: await machine.sh(`cat /etc/stillage/${name}`),
      });
    }
    const [ca, ...own] = ["server.crt", "client.crt", "client.key"].map((name) => join(keys, name)) as [
      string,
      ...string[],
    ];
    await blob(machine, "get", "127.0.0.1:11001", "kept", ca);
    await assert.rejects(blob(machine, "put", "127.0.0.1:11001", "refused", ca));
    await assert.rejects(blob(machine, "put", "127.0.0.1:11002", "nobody's", ca));
    await blob(machine, "put", "127.0.0.1:11002", "by certificate", ca, ...own);
    await blob(machine, "get", "127.0.0.1:11001", "by certificate", ca);
    await machine.sh("systemctl stop bst-artifact-serve bst-artifact-serve-receive; cd /etc/stillage; rm *.crt *.key");
  });

  await t.test("removing leaves data and settings, purging nothing", async () => {
    await machine.sh("systemctl start stillage || true; dpkg --no-triggers -r stillage");
    assert.equal((await machine.try("systemctl is-active stillage")).stdout, "inactive\n");
    await machine.sh(
      "test -e /var/lib/stillage/format && test -e /etc/stillage/stillage.yaml && ! test -e /usr/lib/stillage",
    );
    // What purging runs, with a disk mounted where the store is: that is somebody's, and stays as it is.
    await machine.sh(`mount -t tmpfs none /var/lib/stillage; touch /var/lib/stillage/kept
      /var/lib/dpkg/info/stillage.postrm purge; test -e /var/lib/stillage/kept; umount /var/lib/stillage
      test -e /var/lib/stillage/format`);
    await machine.sh("dpkg --no-triggers -P stillage");
    const kept =
      /^\/(var\/lib\/dpkg\/|var\/log\/(dpkg\.log$|alternatives\.log$|apt\/|journal\/)|var\/cache\/|etc\/(passwd|group|shadow|gshadow|subuid|subgid)-?$|etc\/\.pwd\.lock$)/;
    const left = [...machine.changes()].filter((path) => !untouched.has(path) && !kept.test(path));
    assert.deepEqual(left, []);
  });
});

test("lintian finds no error", async () => {
  const found = await linted;
  assert.equal(found?.status, 0, `${found?.stdout}${found?.stderr}`);
});

function property(machine: Machine, name: string): Promise<string> {
  return machine.sh(`systemctl show -P ${name} stillage.service`).then((text) => text.trim());
}

async function blob(
  machine: Machine,
  action: "put" | "get",
  address: string,
  ...more: readonly string[]
): Promise<void> {
  await machine.client(process.execPath, ["test/deb/blob.ts", action, address, ...more]);
}

async function sum(file: string): Promise<string> {
  return createHash("sha256")
    .update(await readFile(file))
    .digest("hex");
}

/** The same with a higher version, and other settings in its file. */
async function newerPackage(deb: string, folder: string): Promise<string> {
  const file = join(folder, "newer.deb");
  await runOk(
    "bash",
    [
      "-euc",
      `dpkg-deb -R "$0" tree
    sed -i 's/^Version: .*/Version: ${newer}/' tree/DEBIAN/control; echo '# newer' >> tree/etc/stillage/stillage.yaml
    dpkg-deb --root-owner-group -Znone --build tree "$1"`,
      deb,
      file,
    ],
    { cwd: folder },
  );
  return file;
}
