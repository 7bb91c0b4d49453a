import { parse } from "yaml";
import { folder, runCli } from "./command-line.ts";

/** The files of git in a working copy: a branch, and the remote. */
export function workingCopy(remote: string, branch = "main"): Record<string, string> {
  return {
    ".git/HEAD": `ref: refs/heads/${branch}\n`,
    ".git/config": `[core]\n\tbare = false\n[remote "origin"]\n\turl = ${remote}\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n[branch "main"]\n\tremote = origin\n`,
  };
}

export const REMOTES = {
  github: "git@github.com:me/hello.git",
  gitlab: "https://gitlab.com/group/sub/hello.git",
  cloudbuild: "git@github.com:me/hello.git",
} as const;

export type System = keyof typeof REMOTES;

export const SYSTEMS = Object.keys(REMOTES) as System[];

/** The pipeline of a service, printed without a request. */
export async function printPipeline(system: System, argv: readonly string[] = [], cwd = folder(workingCopy(REMOTES[system]))) {
  const env = { PROJECT_ID: "my-project", SERVICE_NAME: "hello" };
  const { exitCode, stdout, stderr } = await runCli(["ci", system, "--print", "--project-number", "123456789012", ...argv], { env, cwd });
  if (exitCode !== 0) throw new Error(stderr);
  return { text: stdout, stderr };
}

export interface GitHubWorkflow {
  readonly env: Readonly<Record<string, string>>;
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: {
    readonly deploy: {
      readonly steps: readonly {
        readonly name?: string;
        readonly id?: string;
        readonly uses?: string;
        readonly run?: string;
        readonly env?: Readonly<Record<string, string>>;
      }[];
    };
  };
}

interface GitLabJob {
  readonly script: readonly string[];
  readonly needs?: readonly string[];
  readonly id_tokens: Readonly<Record<string, { readonly aud: string }>>;
  readonly artifacts?: { readonly reports: { readonly dotenv: string } };
}

export interface GitLabPipeline {
  readonly variables: Readonly<Record<string, string>>;
  readonly ".cloud-run": Pick<GitLabJob, "id_tokens">;
  readonly deploy: GitLabJob;
  readonly "smoke-test": GitLabJob;
}

export interface CloudBuildConfig {
  readonly steps: readonly {
    readonly id: string;
    readonly name: string;
    readonly args?: readonly string[];
    readonly script?: string;
    readonly env?: readonly string[];
  }[];
  readonly serviceAccount: string;
  readonly options: { readonly env: readonly string[] };
}

export function parsePipeline<T>(text: string): T {
  return parse(text) as T;
}
