import type { ChildProcess } from "node:child_process";
import { type LookupAddress, type LookupOptions, lookup as lookupHere } from "node:dns";
import { isIP } from "node:net";

/**
 * Looks up host names as the system does, by its `getent`. In this process a look-up keeps one of the few threads of Node until the system is done with it, which for resolvers that do not answer is half
 * a minute and more, and which the end of the process waits for; another program can be left. Where there is no such program, or it does not know the question, the look-up is made here.
 */
export function lookupHost(host: string, options: LookupOptions, done: LookupDone): void {
  // What is never asked of anybody.
  if (isIP(host) !== 0 || host === "localhost") {
    here(host, options, done);
    return;
  }
  const began = performance.now();
  void addressesOf(host).then((addresses) => {
    const wanted = addresses.filter(({ family }) => !isOther(family, options.family));
    const [first] = wanted;
    // Where the answer is near, the system says what is wrong.
    const near = addresses.length > 0 || performance.now() - began < soonMs;
    if (first !== undefined && options.all) done(null, wanted);
    else if (first !== undefined) done(null, first.address, first.family);
    else if (near) here(host, options, done);
    else done(notNow(host), options.all ? [] : "");
  });
}

/** Also what is no name at all is told by `done`: who throws from a look-up ends the process. */
function here(host: string, options: LookupOptions, done: LookupDone): void {
  try {
    lookupHere(host, options, done as never);
  } catch (error) {
    done(error as NodeJS.ErrnoException, options.all ? [] : "");
  }
}

/** As `net` wants it. */
export type LookupDone = (
  error: NodeJS.ErrnoException | null,
  address: string | LookupAddress[],
  family?: number,
) => void;

/** A resolver that answers does so in this time, in milliseconds. */
const soonMs = 2000;

/** No resolver is waited for any longer: connections are given up before. */
const limitMs = 8000;

/** `ADDRESS TYPE [NAME]` for each address and type of socket. */
const maxBytes = 1 << 16;

/** Names that are being looked up, each once. */
const asked = new Map<string, Promise<LookupAddress[]>>();
const running = new Set<ChildProcess>();

/** In the system's order; none where it has none, or the program is not there. */
function addressesOf(host: string): Promise<LookupAddress[]> {
  let answer = asked.get(host);
  if (answer === undefined) {
    answer = ask(host).finally(() => asked.delete(host));
    asked.set(host, answer);
  }
  return answer;
}

async function ask(host: string): Promise<LookupAddress[]> {
  // What looks like an option is no name.
  if (!/^[^\s\0-][^\s\0]*$/.test(host)) return [];
  let output: string;
  try {
    output = await said(host);
  } catch {
    return []; // the system starts no other program now
  }
  const found = new Map<string, LookupAddress>();
  for (const line of output.split("\n")) {
    const [address = ""] = line.split(/\s/);
    const family = isIP(address);
    if (family !== 0) found.set(address, { address, family });
  }
  return [...found.values()];
}

/** What `getent` says. Errors: what keeps the system from starting it at all; where it is not there, it says nothing. */
async function said(host: string): Promise<string> {
  // Loaded when a name is first asked about.
  const { execFile } = process.getBuiltinModule("node:child_process");
  const { promise, resolve } = Promise.withResolvers<string>();
  const limits = { timeout: limitMs, killSignal: "SIGKILL", maxBuffer: maxBytes } as const;
  const child = execFile("getent", ["ahosts", host], limits, (_, output) => resolve(output));
  if (running.size === 0) process.once("exit", leave);
  running.add(child);
  const output = await promise;
  running.delete(child);
  if (running.size === 0) process.off("exit", leave);
  return output;
}

function leave(): void {
  for (const each of running) each.kill("SIGKILL");
}

function isOther(family: number, wanted: LookupOptions["family"]): boolean {
  const number = wanted === "IPv4" ? 4 : wanted === "IPv6" ? 6 : (wanted ?? 0);
  return number !== 0 && number !== family;
}

function notNow(hostname: string): NodeJS.ErrnoException {
  const message = `getaddrinfo EAI_AGAIN ${hostname}`;
  return Object.assign(new Error(message), { code: "EAI_AGAIN", errno: -3001, syscall: "getaddrinfo", hostname });
}
