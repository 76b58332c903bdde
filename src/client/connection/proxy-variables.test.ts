import assert from "node:assert/strict";
import { test } from "node:test";
import { proxyTo, webProxy } from "./proxy-variables.ts";

const first = { grpc_proxy: "http://one:1", https_proxy: "http://two:2", http_proxy: "http://three:3" };

test("gRPC's variables in its order, whatever the URL's scheme; one that is set and empty holds", () => {
  const cases: [url: string, environment: Record<string, string>, proxy: string | undefined, variable?: string][] = [
    ["http://cache:11001", {}, undefined],
    ["http://cache:11001", first, "http://one:1", "grpc_proxy"],
    ["grpcs://cache", { ...first, grpc_proxy: "" }, undefined],
    ["http://cache", { https_proxy: "http://two:2", http_proxy: "http://three:3" }, "http://two:2", "https_proxy"],
    ["https://cache", { http_proxy: "http://three" }, "http://three:80", "http_proxy"],
    ["https://cache", { HTTPS_PROXY: "http://two:2" }, undefined],
    ["https://cache", { https_proxy: "socks5://two:2" }, undefined, "https_proxy"],
    ["https://cache", { https_proxy: "two:2" }, undefined, "https_proxy"],
    ["unix:/run/cache", first, undefined],
    ["/path", first, undefined],
    ["http://127.0.0.1:1", first, "http://one:1", "grpc_proxy"],
  ];
  for (const [url, environment, proxy, variable] of cases) {
    const choice = proxyTo(url, environment);
    const what = `${url} ${JSON.stringify(environment)}`;
    assert.deepEqual([choice.proxy?.shown, choice.variable], [proxy, variable], what);
  }
});

test("hosts that are reached without", () => {
  const cases: [host: string, excepted: Record<string, string>, proxied: boolean][] = [
    ["cache.example.org", { no_proxy: "elsewhere, Example.ORG" }, false],
    ["cache.example.org", { no_proxy: ".example.org,," }, false],
    ["cache.example.com", { no_proxy: ".example.org, ,example" }, true],
    ["cache", { no_proxy: "*" }, false],
    ["cache", { no_proxy: "cache", no_grpc_proxy: "" }, true],
    ["cache", { no_proxy: "", no_grpc_proxy: "cache" }, false],
    ["cache", { NO_PROXY: "cache" }, true],
    ["10.1.2.3", { no_proxy: "10.0.0.0/8" }, false],
    ["11.1.2.3", { no_proxy: "10.0.0.0/8,11.0.0.0/99,x/8" }, true],
    ["[fd00::1]", { no_proxy: "fd00::/8" }, false],
    ["[fd00::1]", { no_proxy: "::1" }, false], // as gRPC has it: by its end
    ["10.1.2.3", { no_proxy: "fd00::/8" }, true],
  ];
  for (const [host, excepted, proxied] of cases) {
    const { proxy } = proxyTo(`http://${host}:1`, { ...first, ...excepted });
    assert.equal(proxy !== undefined, proxied, `${host} ${JSON.stringify(excepted)}`);
  }
});

test("web servers by their scheme, with secrets apart from what is shown", () => {
  const at = (url: string, environment: Record<string, string>) => webProxy(new URL(url), environment).proxy;
  assert.equal(at("https://web", first)?.shown, "http://two:2");
  assert.equal(at("http://web", first)?.shown, "http://three:3");
  assert.equal(at("http://web", { https_proxy: "http://two:2", HTTP_PROXY: "http://two:2" }), undefined);
  assert.equal(at("https://web", { HTTPS_PROXY: "http://two:2", NO_PROXY: "web" }), undefined);
  const proxy = at("https://[::1]:8", { http_proxy: "http://me:p%40ss@[fd00::2]:3128/" });
  assert.deepEqual(proxy, { host: "fd00::2", port: 3128, credentials: "me:p@ss", shown: "http://[fd00::2]:3128" });
});
