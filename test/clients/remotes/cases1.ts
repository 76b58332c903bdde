import type { ConfiguredCase } from "./configured-case.ts";
import { expressionCases } from "./expressions.ts";

const head = "name: test\n";

/** What BuildStream 1.x is asked. */
export const cases1: readonly ConfiguredCase[] = [
  { says: "nothing is configured", project: head },
  {
    says: "one remote, as BuildStream 1.0 has it",
    project: `${head}artifacts: {url: https://project}\n`,
    user: "artifacts:\n  url: https://user\n",
  },
  {
    says: "the user's for the project, then the project's, then the user's for all",
    project: `${head}artifacts:\n- url: https://project:1\n- {url: https://project:2, push: true}\n`,
    user: "artifacts:\n- url: https://global\nprojects:\n  test:\n    artifacts: [{url: https://override, push: True}]\n  other: {artifacts: {url: https://other}}\n",
  },
  {
    says: "equal ones are one",
    project: `${head}artifacts: [{url: https://a}, {url: https://b}, {url: https://a, push: false}]\n`,
    user: "artifacts: [{url: https://c}, {url: https://b}]\n",
  },
  {
    says: "what is said of a URL last holds where it is said first",
    project: `${head}artifacts: [{url: https://a}, {url: https://b}]\n`,
    user: "artifacts: [{url: https://c, push: true}, {url: https://a, push: true}, {url: https://c, server-cert: c.pem}]\n",
  },
  {
    says: "certificates of the user as they stand there, those of a project in it",
    project: `${head}artifacts:\n  url: https://project\n  server-cert: certs/ca.pem\n  client-key: /etc/k.pem\n  client-cert: ../c.pem\n`,
    user: "artifacts: {url: https://user, server-cert: certs/ca.pem, client-key: ~/k.pem, client-cert: c.pem}\n",
  },
  {
    says: "the command line alone",
    project: `${head}artifacts: {url: https://project}\n`,
    user: "artifacts: {url: https://user}\n",
    remotes: ["https://line:11001"],
  },
  {
    says: "conditions and options",
    project: `${head}format-version: 9\noptions:\n  where: {type: enum, description: Where, values: [home, work], default: home}\n  fast: {type: bool, description: Fast, default: False}\nartifacts: [{url: https://always}]\n(?):\n- where == "work":\n    artifacts: {(>): [{url: https://work}]}\n- not fast:\n    artifacts: {(<): [{url: https://slow}]}\n`,
    user: "projects: {test: {options: {where: work, fast: True}}}\n",
    options: [["fast", "false"]],
  },
  {
    says: "this machine",
    project: `${head}options:\n  machine: {type: arch, description: Machine, values: [x86_64, aarch64, i686]}\n(?):\n- machine == "${process.arch === "arm64" ? "aarch64" : "x86_64"}":\n    artifacts: [{url: https://here}]\n`,
  },
  {
    says: "includes",
    project: `${head}format-version: 12\n(@): [first.yml, second.yml]\nartifacts:\n  (>): [{url: https://own}]\n`,
    files: {
      "project/first.yml": "artifacts: [{url: https://first}]\n",
      "project/second.yml": "artifacts: {(<): [{url: https://second}]}\n",
    },
  },
  {
    says: "one value at two places",
    project: `${head}artifacts:\n- &a {url: https://a, server-cert: ca.pem}\n- *a\n- url: https://b\n`,
  },
  {
    says: "buildstream1.conf before buildstream.conf, and the directories",
    project: head,
    user: "artifacts: {url: https://both}\n",
    files: {
      "home/.config/buildstream1.conf":
        "artifactdir: ~/cache/../artifacts\nscheduler: {fetchers: 3, builders: 2, pushers: 7, network-retries: 0, on-error: continue}\nartifacts: {url: https://one}\n",
      "home/.config/buildstream2.conf": "artifacts: {servers: [{url: https://two}]}\n",
    },
  },
  {
    says: "another file, from a folder deep in the project",
    project: head,
    user: "artifacts: {url: https://usual}\n",
    files: {
      "etc/bst.conf": `artifactdir: \${XDG_CACHE_HOME}/a\nartifacts: {url: https://named}\n`,
      "project/a/b/c": "",
    },
    config: "etc/bst.conf",
    directory: "project/a/b",
  },
  { says: "a URL with spaces around it", project: head, user: 'artifacts: {url: "  https://a  "}\n' },
  {
    says: "a certificate without its key",
    project: head,
    user: "artifacts:\n  url: https://a\n  client-cert: c.pem\n",
    refused: true,
  },
  {
    says: "a key without its certificate",
    project: `${head}artifacts:\n- url: https://a\n  client-key: k.pem\n`,
    refused: true,
  },
  { says: "an unknown key", project: head, user: "artifacts:\n- url: https://a\n  pussh: true\n", refused: true },
  {
    says: "the keys of BuildStream 2",
    project: head,
    user: "artifacts:\n- url: https://a\n  type: index\n",
    refused: true,
  },
  { says: "servers", project: head, user: "artifacts:\n  servers: [{url: https://a}]\n", refused: true },
  { says: "an empty URL", project: head, user: 'artifacts:\n  url: ""\n', refused: true },
  { says: "no URL", project: head, user: "artifacts:\n  push: true\n", refused: true },
  { says: "a word where a remote goes", project: head, user: "artifacts: https://a\n", refused: true },
  { says: "words where remotes go", project: head, user: "artifacts:\n- https://a\n", refused: true },
  { says: "push that is neither", project: head, user: "artifacts:\n  url: https://a\n  push: 1\n", refused: true },
  { says: "an unknown setting of a user", project: head, user: "cachedir: /var/cache\n", refused: true },
  {
    says: "an unknown key for a project",
    project: head,
    user: "projects:\n  test:\n    source-caches: {}\n",
    refused: true,
  },
  {
    says: "a word for on-error that came later",
    project: head,
    user: "scheduler:\n  on-error: terminate\n",
    refused: true,
  },
  { says: "a cache at no absolute path", project: head, user: "artifactdir: cache\n", refused: true },
  { says: "an unknown key in a project", project: `${head}artefacts: [{url: https://a}]\n`, refused: true },
  { says: "an option that is not there", project: head, options: [["far", "true"]], refused: true },
  { says: "an include that is not there", project: `${head}(@): nothing.yml\n`, refused: true },
  ...expressionCases(head),
];
