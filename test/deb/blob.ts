// blob.ts put|get ADDRESS TEXT [CA [CERTIFICATE KEY]]: pushes a text as a blob, or reads it back. Exit status 1 where the server has it not, or takes none.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { ContentAddressableStorage } from "../../src/gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import { connect } from "../../src/rpc/client/channel.ts";
import { client } from "../../src/rpc/client/typed.ts";

const [action, address, text = "", ...files] = process.argv.slice(2);
const [ca, cert, key] = files.map((file) => readFileSync(file));
const tls = ca === undefined ? {} : { ca, ...(cert === undefined || key === undefined ? {} : { cert, key }) };
const channel = connect(`${ca === undefined ? "http" : "https"}://${address}`, tls);
const cas = client(channel, ContentAddressableStorage);
const data = Buffer.from(text);
const digest = { hash: createHash("sha256").update(data).digest("hex"), sizeBytes: BigInt(data.length) };
const { responses } =
  action === "put"
    ? await cas.batchUpdateBlobs({ requests: [{ digest, data }] })
    : await cas.batchReadBlobs({ digests: [digest] });
const [response] = responses;
const fine =
  (response?.status?.code ?? 0) === 0 &&
  (!("data" in (response ?? {})) || data.equals((response as { data: Uint8Array }).data));
channel.destroy();
process.exitCode = fine ? 0 : 1;
