import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { ClientConfiguration } from "./client-configuration.ts";
import { configuredFolder } from "./configuration.fixture.ts";
import { noAuth, noConnection } from "./remote-entry.ts";

// That BuildStream chooses and refuses the same is test/clients/remotes-configuration.test.ts; here is what it has not.

const project = "name: app\nmin-version: 2.0\nartifacts:\n- url: https://project\n";
const user = "artifacts:\n  servers:\n  - url: https://user\n";
const own = `remotes:
- name: office
  url: https://office
  push: true
  auth: {server-cert: certs/ca.pem, access-token: ~/token}
- name: archive
  url: https://archive
  use: by-name
`;

function good(read: ClientConfiguration | readonly string[]): ClientConfiguration {
  assert.ok("remotes" in read, String(read));
  return read;
}

const urls = ({ remotes }: ClientConfiguration): string[] => remotes.map(({ url }) => url);
const aside = ({ setAside }: ClientConfiguration): string[] =>
  setAside.map(({ remote, why }) => `${remote.url}: ${why.replaceAll(/\/\S+\//g, "")}`);

test("Stillage's own file stands between command line and BuildStream's files", (t) => {
  const folder = configuredFolder(t, {
    "project/project.conf": project,
    "home/.config/buildstream.conf": user,
    "home/.config/stillage/client.yaml": own,
  });
  const usual = good(folder.read());
  assert.deepEqual(urls(usual), ["https://office", "https://user", "https://project"]);
  assert.deepEqual(
    usual.named.map(({ name }) => name),
    ["office", "archive"],
  );
  const office = usual.remotes[0];
  assert.equal(office?.name, "office");
  assert.equal(
    office?.auth.serverCert,
    join(folder.path, "home/.config/stillage/certs/ca.pem"),
    "from the file's folder",
  );
  assert.equal(office?.auth.accessToken, join(folder.path, "home/token"));
  assert.equal(usual.files.length, 3);

  const given = good(folder.read({ remotes: ["archive", "https://any:token@line"] }));
  assert.deepEqual(urls(given), ["https://archive", "https://any:token@line", "https://project"]);
  assert.equal(given.remotes[1]?.name, "https://line", "what is shown of it has no secret");
  assert.deepEqual(aside(given), [
    "https://office: the command line names others",
    "https://user: the command line names others",
  ]);
  assert.deepEqual(
    given.remotes.map(({ push }) => push),
    [false, true, false],
  );
});

test("a remote of the own file that is named for a push is pushed to", (t) => {
  const folder = configuredFolder(t, { "home/.config/stillage/client.yaml": own });
  for (const [purpose, push] of [
    ["push", true],
    ["pull", false],
  ] as const) {
    const { remotes } = good(folder.read({ remotes: ["office", "archive"], purpose }));
    assert.deepEqual(
      remotes.map((remote) => remote.push),
      [push, push],
    );
  }
});

test("override-buildstream leaves the own file's remotes alone", (t) => {
  for (const conf of [project, "name: app\nartifacts: {url: https://project}\n"]) {
    const folder = configuredFolder(t, {
      "project/project.conf": conf,
      "home/.config/buildstream2.conf": user,
      "home/.config/buildstream1.conf": "artifacts: {url: https://user}\n",
      "home/.config/stillage/client.yaml": `override-buildstream: true\n${own}`,
    });
    const read = good(folder.read());
    assert.deepEqual(urls(read), ["https://office"]);
    assert.deepEqual(
      new Set(aside(read)),
      new Set(["user", "project"].map((each) => `https://${each}: Stillage's own file says override-buildstream`)),
    );
  }
});

test("why others are set aside", (t) => {
  const folder = configuredFolder(t, {
    "project/project.conf": `${project}- url: https://user\n`,
    "home/.config/buildstream.conf": user,
  });
  assert.deepEqual(aside(good(folder.read())), ["https://user: it is the same as the one at buildstream.conf:3:5"]);
  assert.deepEqual(aside(good(folder.read({ ignoreProjectRemotes: true }))), [
    "https://project: the remotes of projects are ignored",
    "https://user: the remotes of projects are ignored",
  ]);
});

test("outside of a project the user's files tell whose they are", (t) => {
  const cases: readonly [Record<string, string>, "1" | "2"][] = [
    [{}, "2"],
    [{ "buildstream.conf": "artifacts: {servers: []}\n" }, "2"],
    [{ "buildstream.conf": "artifacts: []\n" }, "1"],
    [{ "buildstream.conf": "artifactdir: /var/cache/artifacts\n" }, "1"],
    [{ "buildstream1.conf": "artifacts: []\n" }, "1"],
    [{ "buildstream1.conf": "artifacts: []\n", "buildstream2.conf": user }, "2"],
  ];
  for (const [files, generation] of cases) {
    const named = Object.entries(files).map(([name, text]) => [`home/.config/${name}`, text]);
    const read = good(configuredFolder(t, Object.fromEntries(named)).read());
    assert.equal(read.generation, generation, JSON.stringify(files));
    assert.equal(read.project, undefined);
  }
});

test("a workspace is in its project", (t) => {
  const folder = configuredFolder(t, { "app/project.conf": project });
  const workspace = configuredFolder(t, {
    "project/.bstproject.yaml": `projects:\n- project-path: ${folder.path}/app\n  element-name: app.bst\nformat-version: 1\n`,
    "project/src/main.c": "",
  });
  const read = good(workspace.read({ directory: join(workspace.path, "project/src") }));
  assert.deepEqual(read.project, { name: "app", directory: join(folder.path, "app") });
});

test("where BuildStream 1 has its artifacts", (t) => {
  const directories = (conf: string, cache?: string): readonly string[] => {
    const folder = configuredFolder(t, { "home/.config/buildstream1.conf": conf });
    const { cacheDirectory, artifactDirectory } = good(folder.read({ cache }));
    return [cacheDirectory, artifactDirectory].map((path) => path.replace(`${folder.path}/`, ""));
  };
  const usual = "home/.cache/buildstream";
  assert.deepEqual(directories(""), [usual, `${usual}/artifacts`]);
  assert.deepEqual(directories("artifactdir: /var/bst/artifacts\n"), ["/var/bst", "/var/bst/artifacts"]);
  assert.deepEqual(directories("artifactdir: /var/bst\n"), ["/var/bst", "/var/bst"]);
  assert.deepEqual(directories("artifactdir: /var/bst\n", "there"), ["there", "there/artifacts"]);
});

test("the local cache of the command line", (t) => {
  const folder = configuredFolder(t, { "home/.config/buildstream.conf": "cachedir: /var/cache/bst\n" });
  assert.equal(good(folder.read()).cacheDirectory, "/var/cache/bst");
  assert.equal(good(folder.read({ cache: "there" })).cacheDirectory, join(folder.path, "there"));
});

test("what is in another project is said not to be known, and what nobody heeds", (t) => {
  const folder = configuredFolder(t, {
    "project/project.conf": `${project}(@): sub.bst:include/remotes.yml\nvariables: {(@): "other.bst:x.yml"}\n`,
    "home/.config/buildstream.conf": `${user}    connection-config: {retries: 3, keepalive-time: 0, request-timeout: 9000000, retry-limit: 0}\n  - {url: "https://x", type: endpoint}\n`,
  });
  const { notes, remotes } = good(folder.read());
  assert.equal(remotes.length, 2);
  assert.deepEqual(remotes[0]?.connection, { ...noConnection, retryLimit: 0, requestTimeoutSeconds: 86_400 });
  assert.deepEqual(
    notes.map(({ origin, message }) => `${origin.slice(origin.lastIndexOf("/") + 1)}: ${message}`),
    [
      "buildstream.conf:4:25: connection-config: nobody heeds retries",
      "buildstream.conf:5:30: type: endpoint is for remote execution; no artifacts are looked for there",
      "project.conf:5:6: sub.bst:include/remotes.yml is in another project, which is not read: remotes that it may recommend are not known",
    ],
  );
});

test("a name of a project that is nearly this one's gets a note, where nothing is said of this one", (t) => {
  const notesOf = (names: readonly string[]): readonly string[] => {
    const entries = names.map((name) => `  ${name}: {artifacts: {servers: [{url: "https://${name}"}]}}\n`).join("");
    const folder = configuredFolder(t, {
      "project/project.conf": "name: harbour\nmin-version: 2.0\n",
      "home/.config/buildstream.conf": `projects:\n${entries}`,
    });
    return good(folder.read()).notes.map(({ origin, message }) => `${origin.replace(/^.*\//, "")}: ${message}`);
  };
  assert.deepEqual(notesOf(["lighthouse", "harbor"]), [
    "buildstream.conf:3:3: projects.harbor is not for this project, which is called harbour",
  ]);
  assert.deepEqual(notesOf(["harbor", "harbour"]), []);
});

test("everything that is wrong is reported at once, with its place and what may be meant", (t) => {
  const folder = configuredFolder(t, {
    "project/project.conf":
      "name: app\nmin-version: 2.0\nartefacts: []\nartifacts:\n- url: https://a\n  auth: {client-cert: c.pem}\n- https://b\n",
    "home/.config/buildstream.conf":
      "artifacts:\n  servers:\n  - urk: https://a\n    push: maybe\n    type: indx\n  override-project-cache: true\nscheduler: {pushers: few, on-error: kontinue}\n",
    "home/.config/stillage/client.yaml":
      "remotes:\n- {name: local, url: 'https://a'}\n- {name: a, url: 'https://a'}\n- {name: a, url: '', use: never}\n",
  });
  assert.deepEqual(folder.read({ remotes: ["b", "url=https://x,pull=true,type=al"], options: [["far", "1"]] }), [
    "home/.config/buildstream.conf:3:5: urk: there is no such key here; did you mean url?",
    "home/.config/buildstream.conf:3:5: a remote needs its url",
    'home/.config/buildstream.conf:4:11: push: "maybe" is neither true nor false',
    'home/.config/buildstream.conf:5:11: type: "indx" is none of all, index, storage; did you mean index?',
    "home/.config/buildstream.conf:6:3: override-project-cache: there is no such key here; did you mean override-project-caches?",
    'home/.config/buildstream.conf:7:22: pushers: "few" is not a whole number of at least 1',
    'home/.config/buildstream.conf:7:37: on-error: "kontinue" is none of continue, quit, terminate; did you mean continue?',
    "--option far: the project has no option far",
    "project/project.conf:3:1: artefacts: there is no such key here; did you mean artifacts?",
    "project/project.conf:6:23: client-cert needs client-key beside it",
    "project/project.conf:7:3: artifacts: a remote is a mapping, such as {url: https://b}, not a single value",
    'home/.config/stillage/client.yaml:2:10: name: "local" is no name for a remote: letters, digits, -, _ and . it is, but not "local", nor .tar at the end',
    "home/.config/stillage/client.yaml:4:10: name: a is what the remote at home/.config/stillage/client.yaml:3:3 is called",
    "home/.config/stillage/client.yaml:4:13: url: the URL of the remote goes here",
    'home/.config/stillage/client.yaml:4:27: use: "never" is none of always, by-name',
    '--remote: there is no remote "b"; a remote is a URL such as https://cache.example.com, or the name of one',
    "--remote: pull: there is no such key here; did you mean push?",
    '--remote: type: "al" is none of all, index, storage; did you mean all?',
  ]);
});

test("of one entry everything is told at once, and what nobody heeds beside what is wrong", (t) => {
  const entry = "  - {url: 'htp://a', type: indx, connection-config: {keepalive-tme: 3}}\n";
  const endpoint = "  - {url: 'htp://a', type: endpoint}\n";
  const folder = configuredFolder(t, {
    "home/.config/buildstream.conf": `artifacts:\n  servers:\n${entry}${endpoint}`,
  });
  assert.deepEqual(folder.read(), [
    "home/.config/buildstream.conf:3:11: url: there is no scheme htp:; did you mean http?",
    'home/.config/buildstream.conf:3:28: type: "indx" is none of all, index, storage; did you mean index?',
    "home/.config/buildstream.conf:3:54: note: connection-config: nobody heeds keepalive-tme; did you mean keepalive-time?",
    "home/.config/buildstream.conf:4:28: note: type: endpoint is for remote execution; no artifacts are looked for there",
  ]);
});

test("a URL that is none is reported where it stands", (t) => {
  const cases: readonly [url: string, message: string | undefined][] = [
    ["cache.example.com:11001", "there is no scheme cache.example.com:; did you mean https://cache.example.com:11001?"],
    ["htps://cache", "there is no scheme htps:; did you mean https?"],
    ["socks://cache", "there is no scheme socks: (http, https, grpc, grpcs, unix, ssh, file)"],
    ["http://", '"http://" is no URL of a remote; such are http(s)://HOST[:PORT] and grpc(s)://HOST[:PORT]'],
    ["http://[::1", '"http://[::1" is no URL of a remote; such are http(s)://HOST[:PORT] and grpc(s)://HOST[:PORT]'],
    [
      "grpc://me:secret@h:99999",
      '"grpc://h:99999" is no URL of a remote; such are http(s)://HOST[:PORT] and grpc(s)://HOST[:PORT]',
    ],
    ["unix:", '"unix:" is no URL of a remote; such are unix:PATH'],
    ["ssh://-o/x", '"ssh://-o/x" is no URL of a remote; such are ssh://[USER@]HOST[:PORT]/PATH or [USER@]HOST:PATH'],
    ["HTTPS://cache", undefined],
    ["ssh://me@cache:2222", undefined],
    ["../artifacts", undefined],
    ["./artifacts:1", undefined],
    ["/artifacts", undefined],
    [
      "127.0.0.1:11001",
      '"127.0.0.1:11001" has no scheme; did you mean https://127.0.0.1:11001? a path begins with /, ./ or ../',
    ],
    [
      "[::1]:11001/a",
      '"[::1]:11001/a" has no scheme; did you mean https://[::1]:11001/a? a path begins with /, ./ or ../',
    ],
    [
      "cache.example.com",
      '"cache.example.com" has no scheme; did you mean https://cache.example.com? a path begins with /, ./ or ../',
    ],
    ["artifacts", '"artifacts" has no scheme; a path begins with /, ./ or ../'],
    ["file:///artifacts", undefined],
  ];
  for (const path of ["/artifacts", "./artifacts", "../artifacts"]) {
    assert.equal(urls(good(configuredFolder(t, {}).read({ remotes: [path] })))[0], path);
  }
  for (const [url, message] of cases) {
    const folder = configuredFolder(t, {
      "project/project.conf": `name: app\nmin-version: 2.0\nartifacts:\n- url: "${url}"\n`,
    });
    const [read, line] = [folder.read(), folder.read({ remotes: [`url=${url}`] })];
    if (message === undefined) assert.deepEqual([urls(good(read)), urls(good(line))[0]], [[url], url]);
    else
      assert.deepEqual(
        [read, line],
        [
          [`project/project.conf:4:8: url: ${message}`],
          [`project/project.conf:4:8: url: ${message}`, `--remote: url: ${message}`],
        ],
      );
  }
  const caches = "source-caches:\n- url: htps://cache\n";
  good(configuredFolder(t, { "project/project.conf": `name: app\nmin-version: 2.0\n${caches}` }).read());
});

test("certificates beside http:// are left out with a note, as BuildStream 1 does", (t) => {
  const entry = "artifacts: {url: 'http://cache', server-cert: ca.pem, client-cert: c.pem, client-key: k.pem}\n";
  const folder = configuredFolder(t, { "project/project.conf": `name: app\n${entry}` });
  const { remotes, notes } = good(folder.read());
  assert.deepEqual(remotes[0]?.auth, noAuth);
  assert.match(notes[0]?.origin ?? "", /project.conf:2:47$/);
  assert.match(notes[0]?.message ?? "", /^server-cert: http:\/\/ is without TLS/);
});

test("a grammar that is asked for is for projects of its generation", (t) => {
  const folder = configuredFolder(t, { "project/project.conf": project });
  assert.equal(good(folder.read({ dialect: "2" })).dialect, "2");
  assert.equal(good(folder.read({ dialect: "1.9" })).generation, "2");
  assert.ok(
    String(folder.read({ dialect: "1" })).startsWith("project/project.conf:2:14: this is a project for BuildStream 2"),
  );
});

test("a list that is changed and not there", (t) => {
  for (const conf of ["name: app\nmin-version: 2.0\n", "name: app\n"]) {
    const folder = configuredFolder(t, { "project/project.conf": `${conf}artifacts: {(>): []}\n` });
    assert.match(
      String(folder.read()),
      /^project\/project.conf:\d:12: artifacts: there is no list that \(>\) could change$/,
    );
  }
});

test("a project that is asked for and not there", (t) => {
  const folder = configuredFolder(t, { "elsewhere/file": "" });
  assert.deepEqual(folder.read({ directory: join(folder.path, "elsewhere") }), [
    "--directory: there is no project.conf in elsewhere or above it",
  ]);
});

test("files that are named and not there", (t) => {
  const folder = configuredFolder(t, {});
  assert.deepEqual(folder.read({ buildstreamConfig: "no.conf", clientConfig: "no.yaml" }), [
    "--buildstream-config: no.conf cannot be read: there is no such file",
    "--client-config: no.yaml cannot be read: there is no such file",
  ]);
});
