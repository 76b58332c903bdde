import { fileVariable, systemFile } from "./load.ts";
import { type Setting, settingKeys, settings, showFallback } from "./settings.ts";

const opening = `# Settings

<!-- Made from src/config/settings.ts by \`make generate\`; change it there. -->

\`stillage serve\` takes each setting from a flag, an environment variable or a YAML file; the first that says something wins, in this order,
and where none does there is a default. The file is the one that \`--config FILE\` or \`${fileVariable}\` names, else
\`${systemFile}\` where that is there.

- \`stillage config check\` reports everything that is wrong at once, each with its origin, and tries the certificates,
  the access file and the folder of the access log.
- \`stillage config show\` prints every value with its origin, as a file that would set all of it; \`--json\` prints it for programs.

Both take the flags of \`serve\`. A relative path in a file is seen from the file's folder, any other from the working directory. An
environment variable that is empty counts as not set.
`;

const listeners = `
In a file each listener is a mapping, an address alone, or a line as after \`--listen\`:

\`\`\`yaml
listeners:
- address: 0.0.0.0:11001
  push: false
- address: 0.0.0.0:11002
  tls:
    certificate: server.crt
    key: server.key
    client-certificates: clients.crt
- unix:/run/stillage/socket
- systemd:pull
\`\`\`

\`\`\`sh
stillage serve --listen 0.0.0.0:11001 --listen address=0.0.0.0:11002,push=false,cert=server.crt,key=server.key,client-certs=clients.crt
\`\`\`

- \`address\`: \`HOST:PORT\`, \`[IPV6]:PORT\`, \`unix:PATH\` or \`systemd:NAME\`. Port 0 is any free one; the line \`ready\` in the log names it.
  \`systemd:NAME\` is every socket that systemd hands over with \`FileDescriptorName=NAME\`.
- \`push\`: \`true\` or \`false\`, by default \`true\`. Where it is \`false\`, no write of any kind is taken.
- \`tls\`: PEM files. With \`client-certificates\` a client needs a certificate that is in that file, or signed by one that is; with
  \`client-auth: optional\` beside it, one may come without. SIGHUP makes the server read the files anew.
`;

const closing = `
## Kinds of values

- \`SIZE\`: bytes, or a number with K, M, G, T (powers of 1000) or KiB, MiB, GiB, TiB (powers of 1024).
- \`TIME\`: a number with ms, s, m, h or d.
- \`PERCENT\`: a number with %, with at most two decimals.
- A rule of \`limits\`: any of \`instance=NAME\`, \`space=SPACE\`, \`size=SIZE\` and \`age=TIME\`, divided by commas, or a mapping of these;
  [EXPIRY.md](EXPIRY.md) says what each means.
- A host: \`NAME\`, \`*.DOMAIN\`, \`ADDRESS\` or \`*\`, each with or without \`:PORT\`, or \`ADDRESS/BITS\`; [ORIGIN.md](ORIGIN.md) says
  what each means.
- In environment variables the entries of a list are divided by spaces.

## Signals

SIGTERM and SIGINT stop the server once running calls have ended, or after the time of \`grace\`; a second one stops it at once.
SIGHUP reads certificates, keys and rights anew, and opens the access log by its name again. Connections that are open keep their certificates;
their next requests have the new rights.

## Exit status

| status | meaning |
|---|---|
| 0 | done, or stopped by a signal |
| 1 | a failure while running: the store cannot be opened, an address is taken, the disk fails |
| 2 | wrong usage or configuration; every problem is reported, and nothing was started |
`;

/** The reference of all settings, as Markdown. */
export function reference(): string {
  const sections = settingKeys.map((key) => section(settings[key] as Setting<unknown>));
  return `${opening}\n${sections.join("\n")}${closing}`;
}

function section(setting: Setting<unknown>): string {
  const { name, flag, variable, type, sentence } = setting;
  const onCommandLine = flag === undefined ? "`DIR`, after `serve`" : `\`${flag.replaceAll(/[<>]/g, "")}\``;
  const rows = [
    `- value: ${type}`,
    `- default: \`${showFallback(setting)}\``,
    `- on the command line: ${onCommandLine}${setting.list ? ", as often as needed" : ""}`,
    `- in the environment: \`${variable}\``,
  ];
  const more = name === settings.listeners.name ? listeners : "";
  return `## ${name}\n\n${sentence}\n\n${rows.join("\n")}\n${more}`;
}
