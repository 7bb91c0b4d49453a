import { randomBytes } from "node:crypto";
import { emulatorFiles } from "../../environment/files.ts";
import { instanceEnvironment } from "../../environment/variables.ts";
import { openInstanceLog } from "../../logging/instance-log.ts";
import type { LogStore } from "../../logging/log-store.ts";
import { openMetadataServer } from "../../metadata/metadata-server.ts";
import { describeInstance } from "../../metadata/metadata.ts";
import type { Project } from "../../state/resources.ts";
import type { Runtime } from "../../runtime.ts";
import { defaultServiceAccount } from "../names.ts";
import type { StartOptions } from "../../engine/engine.ts";

/** An instance's environment besides its revision, from before it starts until it is gone. */
export interface InstanceContext {
  /** Environment variables; the revision's own take precedence. */
  readonly environment: Readonly<Record<string, string>>;
  readonly log: StartOptions["log"];
  /** Receives Cloud Run's own messages about the instance. */
  readonly logSystem: (severity: "INFO" | "WARNING" | "ERROR", text: string) => void;
  /** Call it when the instance is gone or failed to start. */
  close(): void;
}

export type OpenInstanceContext = (revisionKey: string) => Promise<InstanceContext>;

interface ContextOptions extends Pick<Runtime, "state" | "signingKeys" | "now" | "log"> {
  readonly logs: LogStore;
  /** Where the emulator listens; known once it does. */
  readonly address: Promise<string>;
}

// Unlike Cloud Run: environment variables direct an instance to the metadata server, to Google's APIs and to other services.
/** Gives each instance its own metadata server, the variables that lead to it and to the emulator, and a log. */
export function createInstanceContextOpener({ logs, address, ...runtime }: ContextOptions): OpenInstanceContext {
  const { state, log } = runtime;
  return async (revisionKey) => {
    const [projectId = "", region = ""] = revisionKey.split("/");
    const project = state.projects.get(projectId) as Project;
    const serviceAccount = state.revisions.get(revisionKey)?.spec.serviceAccountName || defaultServiceAccount(project);
    // As long as an instance ID in Cloud Run.
    const instanceId = randomBytes(65).toString("hex");
    const url = await address;
    const metadata = describeInstance(runtime, { project, region, instanceId, serviceAccount });
    const server = await openMetadataServer({ metadata, emulator: () => new URL(url), log });
    const { authorities, added } = emulatorFiles(state.directory, projectId);
    const { write, writeSystem: logSystem } = openInstanceLog({ state, logs }, revisionKey, instanceId);
    return {
      environment: instanceEnvironment({ url, authorities, added, metadata: `127.0.0.1:${server.port}` }),
      log: write,
      logSystem,
      close: () => server.close(),
    };
  };
}
