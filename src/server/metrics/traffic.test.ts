import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { HttpRequest } from "../../http/exchange.ts";
import { grpcStatus } from "../../rpc/status.ts";
import { visit } from "../grpc/calling.fixture.ts";
import { exposition } from "./exposition.ts";
import { Meters } from "./meters.ts";
import { Traffic } from "./traffic.ts";

const read = "google.bytestream.ByteStream/Read";
const fetchBlob = "build.bazel.remote.asset.v1.Fetch/FetchBlob";
const cas = "build.bazel.remote.execution.v2.ContentAddressableStorage";

/** The lines of these metrics, without zeros. */
function lines(traffic: Traffic, name: string): string[] {
  const meters = new Meters();
  meters.add(traffic.families);
  const all = exposition(meters.read()).split("\n");
  return all.filter((line) => line.startsWith(`${name}{`) && !line.endsWith(" 0"));
}

describe("what comes and goes", () => {
  const call = (traffic: Traffic, method: string, instance: string, status: number, more: object = {}): void => {
    traffic.calls.finished({ ...visit({ push: true }), method, instance, ...more }, status, "", 10, 200, 1);
  };
  const request = (traffic: Traffic, method: string, route: string, instance: string, status: number): void => {
    traffic.requests.answered({ method, route, instance, received: 3 } as HttpRequest, status, 50, 1);
  };

  it("is counted by method, instance and status, whatever clients name", () => {
    const traffic = new Traffic(["", "a"]);
    call(traffic, read, "a", grpcStatus.ok);
    call(traffic, read, "a", grpcStatus.ok);
    call(traffic, read, "", grpcStatus.cancelled);
    for (let i = 0; i < 100; i++) call(traffic, read, `made up ${i}`, grpcStatus.notFound);
    assert.deepEqual(lines(traffic, "stillage_rpc_calls_total"), [
      `stillage_rpc_calls_total{method="${read}",instance_name="",status="CANCELLED"} 1`,
      `stillage_rpc_calls_total{method="${read}",instance_name="",status="NOT_FOUND"} 100`,
      `stillage_rpc_calls_total{method="${read}",instance_name="a",status="OK"} 2`,
    ]);
    assert.deepEqual(lines(traffic, "stillage_rpc_duration_seconds_count"), [
      `stillage_rpc_duration_seconds_count{method="${read}"} 103`,
    ]);
    for (let i = 0; i < 100; i++) request(traffic, `M${i}`, "", `made up ${i}`, 404);
    request(traffic, "PUT", "cas", "a", 200);
    assert.deepEqual(lines(traffic, "stillage_http_requests_total"), [
      'stillage_http_requests_total{method="other",route="other",instance_name="",status="404"} 100',
      'stillage_http_requests_total{method="PUT",route="cas",instance_name="a",status="200"} 1',
    ]);
    assert.deepEqual(lines(traffic, "stillage_http_request_bytes_total").at(-1)?.split(" ")[1], "3");
  });

  it("counts hits and misses alike at every door, but not in instances that there are not", () => {
    const traffic = new Traffic(["a"]);
    call(traffic, read, "a", grpcStatus.ok);
    call(traffic, read, "a", grpcStatus.notFound);
    call(traffic, read, "a", grpcStatus.permissionDenied);
    call(traffic, read, "none", grpcStatus.notFound);
    request(traffic, "GET", "cas", "a", 206);
    request(traffic, "GET", "cas", "a", 404);
    request(traffic, "PUT", "cas", "a", 200);
    request(traffic, "GET", "ac", "a", 403);
    request(traffic, "GET", "ac", "a", 200);
    call(traffic, `${cas}/BatchReadBlobs`, "a", grpcStatus.ok, { found: 5, absent: 2 });
    call(traffic, `${cas}/FindMissingBlobs`, "a", grpcStatus.ok, { found: 7, absent: 4 });
    call(traffic, fetchBlob, "a", grpcStatus.ok);
    call(traffic, fetchBlob, "a", grpcStatus.ok, { absent: 1 });
    const lookups = "stillage_cache_lookups_total";
    assert.deepEqual(lines(traffic, lookups), [
      `${lookups}{instance_name="a",kind="blob",outcome="hit"} 7`,
      `${lookups}{instance_name="a",kind="blob",outcome="miss"} 4`,
      `${lookups}{instance_name="a",kind="action_result",outcome="hit"} 1`,
      `${lookups}{instance_name="a",kind="asset",outcome="hit"} 1`,
      `${lookups}{instance_name="a",kind="asset",outcome="miss"} 1`,
    ]);
    assert.deepEqual(lines(traffic, "stillage_cache_find_missing_blobs_total"), [
      'stillage_cache_find_missing_blobs_total{instance_name="a",outcome="present"} 7',
      'stillage_cache_find_missing_blobs_total{instance_name="a",outcome="missing"} 4',
    ]);
  });
});
