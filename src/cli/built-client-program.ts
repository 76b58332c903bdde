import { loadScript } from "../base/compiled-script.ts";

type ClientProgram = typeof import("./client-program.ts");

/** The client's program as the build left it beside this file. */
export const { run } = loadScript(`${import.meta.dirname}/client-program.cjs`) as ClientProgram;
