/**
 * Node's own modules of HTTP, for programs that mostly do without. An `import` of them evaluates all that they export, `WebSocket` among it, and with that a whole
 * other implementation: 40 ms of each start.
 */
export const nodeHttp = (): typeof import("node:http") => process.getBuiltinModule("node:http");
export const nodeHttps = (): typeof import("node:https") => process.getBuiltinModule("node:https");
