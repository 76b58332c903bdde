/** Other names of machines, as they say themselves, for what BuildStream 2 calls them. */
const aliases: Readonly<Record<string, readonly string[]>> = {
  aarch32: ["arm"],
  aarch64: ["armv8l"],
  "aarch64-be": ["armv8b"],
  la64v100: ["loong64", "loongarch64"],
  "power-isa-be": ["powerpc", "powerpc64", "ppc64"],
  "power-isa-le": ["powerpc64le", "ppc64le"],
  rv32g: ["riscv32"],
  rv64g: ["riscv64"],
  "sparc-v9": ["sparc", "sparc64", "sun4v"],
  "x86-32": ["i386", "i486", "i586", "i686"],
  "x86-64": ["amd64"],
};

const canonical = new Map(
  Object.entries(aliases).flatMap(([name, others]) => [name, ...others].map((each) => [each, name])),
);

/** The name by which BuildStream 2 compares machines; `undefined` for a machine that it does not know. */
export function canonicalArchitecture(machine: string): string | undefined {
  return canonical.get(machine.replaceAll("_", "-").toLowerCase());
}
