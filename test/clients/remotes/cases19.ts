import type { ConfiguredCase } from "./configured-case.ts";

const head = "name: test\nmin-version: 2.0\n";

/** What BuildStream 1.91 to 1.93 are asked. */
export const cases19: readonly ConfiguredCase[] = [
  { says: "nothing is configured", project: head },
  {
    says: "the user's for the project, then the project's, then the user's for all",
    project: `${head}artifacts:\n- url: https://project:1\n- url: https://project:2\n  type: index\n`,
    user: "artifacts:\n- url: https://global\n  instance-name: main\nprojects:\n  test:\n    artifacts:\n      url: https://override\n      push: True\n",
  },
  {
    says: "equal ones are one, unequal ones are not",
    project: `${head}artifacts:\n- url: https://a\n- url: https://a\n  push: false\n- url: https://a\n  push: true\n`,
    user: "artifacts:\n  url: https://a\n  type: storage\n",
  },
  {
    says: "certificates of a user",
    project: head,
    user: "artifacts:\n- url: https://a\n  server-cert: certs/ca.pem\n  client-cert: ~/c.pem\n  client-key: /etc/k.pem\n",
  },
  {
    says: "the file of BuildStream 2",
    project: head,
    user: "artifacts:\n  url: https://both\n",
    files: {
      "home/.config/buildstream2.conf": "cachedir: /var/cache/bst\nprompt: {}\nartifacts:\n  url: https://two\n",
    },
  },
  { says: "servers", project: head, user: "artifacts:\n  servers: []\n", refused: true },
  {
    says: "the keys that came later",
    project: head,
    user: "artifacts:\n  url: https://a\n  auth: {}\n",
    refused: true,
  },
  { says: "a type that is none", project: head, user: "artifacts:\n  url: https://a\n  type: both\n", refused: true },
  { says: "a setting that came later", project: head, user: "fetch: {}\n", refused: true },
  {
    says: "a key without its certificate",
    project: `${head}artifacts:\n  url: https://a\n  client-key: k.pem\n`,
    refused: true,
  },
];
