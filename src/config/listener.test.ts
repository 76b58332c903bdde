import assert from "node:assert/strict";
import { test } from "node:test";
import { checked, messages } from "./checking.fixture.ts";
import { listener, resolveListener } from "./listener.ts";

const plain = { address: "127.0.0.1:1", push: true, tls: undefined };
const tls = { certificate: "c", key: "k", clientCertificates: undefined, clientAuth: "required" };

test("a listener is a mapping, an address, or a line", () => {
  const cases: readonly (readonly [unknown, object])[] = [
    ["127.0.0.1:1", plain],
    [{ address: "127.0.0.1:1" }, plain],
    ["address=127.0.0.1:1,push=false", { ...plain, push: false }],
    [
      { address: "127.0.0.1:1", push: "false" },
      { ...plain, push: false },
    ],
    ["address=127.0.0.1:1,cert=c,key=k", { ...plain, tls }],
    [
      { address: "127.0.0.1:1", tls: { certificate: "c", key: "k" } },
      { ...plain, tls },
    ],
    [
      "client-certs=a=b,key=k,cert=c,address=[::]:1",
      { address: "[::]:1", push: true, tls: { ...tls, clientCertificates: "a=b" } },
    ],
    [
      "address=[::]:1,cert=c,key=k,client-certs=a,client-auth=optional",
      { address: "[::]:1", push: true, tls: { ...tls, clientCertificates: "a", clientAuth: "optional" } },
    ],
    ["address=unix:/run/x", { ...plain, address: "unix:/run/x" }],
  ];
  for (const [given, value] of cases) assert.deepEqual(checked(listener, given), { value });
});

test("everything that is wrong with a listener is said", () => {
  const cases: readonly (readonly [unknown, readonly RegExp[]])[] = [
    ["", [/has no value/]],
    ["nowhere", [/"nowhere" is not an address/]],
    ["address=nowhere,push=yes", [/"nowhere"/, /"yes" is not true or false/]],
    ["push=true", [/address is missing/]],
    ["address=127.0.0.1:1,cert=c", [/key is missing/]],
    ["address=127.0.0.1:1,key=k,client-certs=x", [/cert is missing/]],
    ["address=127.0.0.1:1,cert=c,key=k,client-auth=optional", [/says nothing without client-certificates/]],
    ["address=127.0.0.1:1,cert=c,key=k,client-certs=x,client-auth=no", [/"no" is not required or optional/]],
    ["address=127.0.0.1:1,client-certs=x", [/cert is missing/, /key is missing/]],
    ["address=127.0.0.1:1,pusch=true,crt=x", [/"pusch"; did you mean push\?/, /"crt"; did you mean cert\?/]],
    ["address=127.0.0.1:1,,push", [/no key ""/, /push has no value/]],
    ["address=127.0.0.1:1,push=true,push=false", [/push is there twice/]],
    ["address=127.0.0.1:1,__proto__=x,constructor=y", [/"__proto__"/, /"constructor"/]],
    [{}, [/address is missing/]],
    [[], [/\[\] is not a mapping of address, push, tls/]],
    [{ address: ["a"], push: "", tls: "x" }, [/\["a"\]/, /has no value/, /"x" is not a mapping/]],
    [{ address: "127.0.0.1:1", tls: {} }, [/certificate is missing/, /key is missing/]],
    [{ address: "127.0.0.1:1", tls: { certificate: "", key: "k", ca: "x" } }, [/no such key/, /has no value/]],
  ];
  for (const [given, expected] of cases) {
    const said = messages(listener, given);
    assert.equal(said.length, expected.length, said.join("\n"));
    for (const each of expected)
      assert.ok(
        said.some((message) => each.test(message)),
        `${each}\n${said.join("\n")}`,
      );
  }
});

test("paths are seen from a folder", () => {
  const files = { certificate: "c", key: "/k", clientCertificates: "a/b", clientAuth: "optional" } as const;
  const relative = { address: "unix:s", push: true, tls: files };
  assert.deepEqual(resolveListener(relative, "/etc/x"), {
    address: "unix:/etc/x/s",
    push: true,
    tls: { certificate: "/etc/x/c", key: "/k", clientCertificates: "/etc/x/a/b", clientAuth: "optional" },
  });
});
