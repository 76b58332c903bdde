import type { SourceRefs } from "./project.ts";

/** Every element of the project by its path below `elements/`. */
export function projectElements(refs: SourceRefs): Readonly<Record<string, object>> {
  const local = (path: string) => ({ kind: "local", path: `files/${path}` });
  const download = (kind: string, name: keyof SourceRefs, more: object = {}) => {
    return { kind, url: `upstream:${name}`, ref: refs[name], ...more };
  };
  return {
    "base/rootfs.bst": { kind: "import", sources: [download("tar", "rootfs.tar", { "base-dir": "" })] },
    "base.bst": { kind: "stack", depends: ["base/rootfs.bst"] },
    "data/tree.bst": { kind: "import", sources: [local("tree")] },
    "data/big.bst": { kind: "import", sources: [download("remote", "big.bin")], config: { target: "/srv" } },
    "lib.bst": {
      kind: "manual",
      sources: [local("lib")],
      "build-depends": ["base.bst"],
      depends: ["data/tree.bst"],
      config: {
        "build-commands": ["sort crane.txt > crane.sorted"],
        "install-commands": ["mkdir -p %{install-root}/usr/lib", "mv crane.sorted %{install-root}/usr/lib/crane.txt"],
      },
      public: { bst: { "split-rules": { keep: ["/usr/lib/*"] } } },
    },
    "app.bst": {
      kind: "manual",
      sources: [local("app"), download("tar", "crates.tar", { "base-dir": "", directory: "crates" })],
      "build-depends": ["base.bst"],
      depends: ["lib.bst"],
      config: {
        "build-commands": ["cat berth.txt /usr/lib/crane.txt > app.txt", "find crates -type f | sort >> app.txt"],
        "install-commands": [
          "mkdir -p %{install-root}/opt/app",
          "cp -r app.txt crates %{install-root}/opt/app",
          "ln -s app.txt %{install-root}/opt/app/current",
        ],
      },
    },
    "report.bst": {
      kind: "script",
      "build-depends": ["base.bst", "data/big.bst", "app.bst"],
      config: {
        commands: [
          "mkdir -p %{install-root}/srv",
          "sha256sum /srv/big.bin /opt/app/app.txt > %{install-root}/srv/sums",
          "head -c 3000000 /srv/big.bin > %{install-root}/srv/half.bin",
        ],
      },
    },
    "nothing.bst": { kind: "manual", "build-depends": ["base.bst"], config: { "build-commands": ["true"] } },
    "sub/deep+plus.bst": {
      kind: "manual",
      "build-depends": ["base.bst"],
      config: { "install-commands": ["mkdir -p %{install-root}/etc", "echo deep > %{install-root}/etc/deep"] },
    },
    "runtime.bst": {
      kind: "compose",
      "build-depends": ["app.bst", "report.bst", "data/tree.bst"],
      config: { exclude: ["devel"] },
    },
    "all.bst": {
      kind: "stack",
      depends: ["runtime.bst", "app.bst", "data/big.bst", "nothing.bst", "sub/deep+plus.bst"],
    },
    "broken.bst": {
      kind: "manual",
      sources: [local("broken")],
      "build-depends": ["base.bst"],
      config: { "build-commands": ["echo the cargo broke > wreck.txt", "cat wreck.txt", "false"] },
    },
  };
}
