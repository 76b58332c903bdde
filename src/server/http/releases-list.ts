import type { HttpRequest, HttpResponse } from "../../http/exchange.ts";

const style =
  "body{font:16px/1.5 system-ui,sans-serif;max-width:45rem;margin:3rem auto;padding:0 1rem}code{background:#8882;padding:.1em .3em}";

/** The list of release repositories: for people, or where the client says that it takes it, in JSON. Names are such as need no escaping. */
export function releaseList(request: HttpRequest, names: readonly string[]): HttpResponse {
  const json = /\bapplication\/json\b/.test(request.headers.accept ?? "");
  const headers = { "cache-control": "no-cache", vary: "accept", "x-content-type-options": "nosniff" };
  if (json) {
    const items = names.map((name) => ({ name, page: `/releases/${name}/`, repository: `/releases/${name}/repo` }));
    const body = Buffer.from(`${JSON.stringify({ items }, undefined, 2)}\n`);
    return { status: 200, headers: { ...headers, "content-type": "application/json" }, body };
  }
  const lines = names.map(
    (name) => `<li><a href="/releases/${name}/">${name}</a>, for ostree: <code>/releases/${name}/repo</code></li>`,
  );
  const list = lines.length === 0 ? "<p>There are none yet.</p>" : `<ul>\n${lines.join("\n")}\n</ul>`;
  const page = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Releases</title><style>${style}</style></head>
<body><h1>Releases</h1>
${list}
</body></html>
`;
  const policy = "default-src 'none'; style-src 'unsafe-inline'";
  const type = "text/html; charset=utf-8";
  return {
    status: 200,
    headers: { ...headers, "content-type": type, "content-security-policy": policy },
    body: Buffer.from(page),
  };
}
