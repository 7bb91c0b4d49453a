import { randomUUID } from "node:crypto";
import { chmodSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import type { StartOptions } from "../engine/engine.ts";
import { ApiError } from "../server/errors.ts";
import { isAllowed } from "../iam/policy.ts";
import { findProject } from "../state/projects.ts";
import type { KnativeRevision } from "../run/knative.ts";
import { StartupError } from "../run/instances/instance-error.ts";
import { defaultServiceAccount } from "../run/naming.ts";
import type { State } from "../state/state.ts";
import { secretName } from "./secrets.ts";
import { accessVersion } from "./versions.ts";

/** The secrets that one instance of a revision is given. */
export interface InstanceSecrets {
  /** By the names of the environment variables. */
  readonly environment: Readonly<Record<string, string>>;
  /** Folders of secrets, and where the instance has them. */
  readonly mounts: NonNullable<StartOptions["mounts"]>;
  /** Removes the folders. */
  close(): void;
}

/**
 * Reads the secrets that a revision names, as its service account may. Throws StartupError where one is not there, disabled or not the account's to read.
 * https://cloud.google.com/run/docs/configuring/services/secrets
 */
export function openSecrets(state: State, projectId: string, revision: KnativeRevision): InstanceSecrets {
  const { containers, volumes = [] } = revision.spec;
  const [container] = containers;
  const reader = createReader(state, projectId, revision);
  const environment = Object.fromEntries(
    (container?.env ?? []).flatMap(({ name, valueFrom }, index) => {
      if (!valueFrom?.secretKeyRef) return [];
      const { name: secret, key } = valueFrom.secretKeyRef;
      const at = `spec.template.spec.containers[0].env[${index}].value_from.secret_key_ref.name`;
      return [[name, reader.read(at, secret, key).toString("utf8")]];
    }),
  );
  const folders = volumes.flatMap(({ name, secret }, index) => {
    if (!secret) return [];
    const at = `spec.template.spec.volumes[${index}].secret.secret_name`;
    const items = secret.items ?? [{ key: "latest", path: secret.secretName }];
    return [
      { name, folder: String(index), files: items.map(({ key, path }) => ({ path, data: reader.read(at, secret.secretName, key) })) },
    ];
  });
  reader.finish();
  if (folders.length === 0) return { environment, mounts: [], close: () => undefined };

  const root = join(mountsFolder(state), randomUUID());
  for (const { folder, files } of folders) for (const { path, data } of files) writeFile(join(root, folder), path, data);
  const mounts = (container?.volumeMounts ?? []).flatMap(({ name, mountPath }) =>
    folders.filter((each) => each.name === name).map(({ folder }) => ({ directory: join(root, folder), path: mountPath })),
  );
  return { environment, mounts, close: () => rmSync(root, { recursive: true, force: true }) };
}

/** Removes the folders of instances that a crash left. To be called before the first instance starts. */
export function sweepMounts(state: State): void {
  for (const name of readdirSync(mountsFolder(state))) rmSync(join(mountsFolder(state), name), { recursive: true, force: true });
}

function mountsFolder({ directory }: State): string {
  const path = join(directory, "keys", "mounts");
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return path;
}

// Readable for whichever user a container has; the folder above shuts out everybody else.
function writeFile(folder: string, path: string, data: Buffer): void {
  const file = join(folder, posix.join("/", path));
  mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
  writeFileSync(file, data, { mode: 0o444 });
  chmodSync(file, 0o444);
}

/** Reads one secret after the other, and says in the end of all of them together what is wrong. */
function createReader(state: State, projectId: string, { metadata, spec }: KnativeRevision) {
  const aliases = readAliases(metadata.annotations["run.googleapis.com/secrets"] ?? "");
  const project = state.projects.get(projectId);
  const email = spec.serviceAccountName || (project ? defaultServiceAccount(project) : "");
  const problems: string[] = [];
  return {
    read(at: string, name: string, version: string): Buffer {
      const key = aliases.get(name) ?? readName(name) ?? `${projectId}/${name}`;
      const [owner = "", id = ""] = key.split("/");
      const canonical = `${findProject(state, owner)?.projectId ?? owner}/${id}`;
      const shown = `${secretName(state, canonical)}/versions/${version}`;
      try {
        const resource = `projects/${canonical.replace("/", "/secrets/")}`;
        if (isAllowed(state, { member: `serviceAccount:${email}`, email }, "secretmanager.versions.access", resource))
          return accessVersion(state, canonical, version).data;
        problems.push(
          `${at}: Permission denied on secret: ${shown} for Revision service account ${email}. The service account used must be granted the 'Secret Manager Secret Accessor' role (roles/secretmanager.secretAccessor) at the secret, project or higher level.`,
        );
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        problems.push(`${at}: ${error.status === "NOT_FOUND" ? `Secret ${shown} was not found` : error.message}`);
      }
      return Buffer.alloc(0);
    },
    finish(): void {
      if (problems.length > 0) throw new StartupError("SecretsAccessCheckFailed", problems.join("\n"));
    },
  };
}

/** `ALIAS:projects/PROJECT/secrets/ID,…`: how v1 names secrets of other projects. */
function readAliases(annotation: string): Map<string, string> {
  const parts = annotation.split(",").map((text) => text.trim().split(":"));
  return new Map(parts.map(([alias = "", name = ""]) => [alias, readName(name) ?? name]));
}

/** `PROJECT/ID` of a secret's full name, as v2 may have it; undefined for what is none. */
function readName(name: string): string | undefined {
  const [, project, id] = /^projects\/([^/]+)\/secrets\/([^/]+)$/.exec(name) ?? [];
  return project && `${project}/${id}`;
}
