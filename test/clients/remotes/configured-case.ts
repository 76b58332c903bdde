/** Files and a command line, from which remotes follow or a refusal. All paths are of one folder, in which the commands run. */
export interface ConfiguredCase {
  readonly says: string;
  /** `project/project.conf`. */
  readonly project: string;
  /** `home/.config/buildstream.conf`. */
  readonly user?: string;
  /** More files by their paths in the folder. */
  readonly files?: Readonly<Record<string, string>>;
  /** `--config`, a path in the folder. */
  readonly config?: string;
  /** Where the command runs, a path in the folder; the project is in it or above it. */
  readonly directory?: string;
  /** FOLDER stands for the folder. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly remotes?: readonly string[];
  readonly ignore?: boolean;
  readonly purpose?: "all" | "push" | "pull";
  readonly options?: readonly (readonly [string, string])[];
  /** Whether BuildStream refuses it, so that no case is the other kind by accident. */
  readonly refused?: true;
}
