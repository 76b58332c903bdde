import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { blocksOf } from "../../docs/markdown.ts";
import type { KeyPair } from "./certificates.ts";
import { checkout, installed } from "./checkout.ts";
import { accepting, unusedPort } from "./port.ts";

/** A running nginx. */
export interface Nginx extends AsyncDisposable {
  /** HOST:PORT, with TLS. */
  readonly address: string;
}

/** Starts nginx in the empty folder `folder` with the configuration of docs/PROXY.md, before the server at `upstream`. */
export async function startNginx(folder: string, upstream: string, tls: KeyPair): Promise<Nginx> {
  const program = await installed("/usr/sbin/nginx", "nginx.sh");
  const port = await unusedPort();
  const documented = blocksOf(await readFile(join(checkout, "docs/PROXY.md"), "utf8"));
  const block = documented.find(({ language }) => language === "nginx")?.text ?? "";
  const http = block
    .replace("listen 443", `listen 127.0.0.1:${port}`)
    .replace("127.0.0.1:11001", upstream)
    .replace("/etc/nginx/stillage.crt", tls.certificate)
    .replace("/etc/nginx/stillage.key", tls.key)
    .replace("/var/cache/nginx/stillage", join(folder, "kept"));
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  const file = join(folder, "nginx.conf");
  const lines = [
    "daemon off;",
    "worker_processes 1;",
    `pid ${folder}/nginx.pid;`,
    `error_log ${folder}/error.log;`,
    "events {}",
    `http { access_log off; ${temporary.join(" ")}`,
    http,
    "}",
  ];
  await mkdir(join(folder, "kept"), { recursive: true });
  await writeFile(file, lines.join("\n"));
  const words = ["-e", join(folder, "error.log"), "-c", file];
  const child = spawn(program, process.getuid?.() === 0 ? [...words, "-g", "user root;"] : words, { stdio: "inherit" });
  const ended = once(child, "close");
  const address = `127.0.0.1:${port}`;
  await accepting({ port, host: "127.0.0.1" });
  return {
    address,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}
