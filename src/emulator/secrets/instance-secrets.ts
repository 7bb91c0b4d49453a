import { randomUUID } from "node:crypto";
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import type { StartOptions } from "../engine/engine.ts";
import { ApiError } from "../server/errors.ts";
import { isAllowed } from "../iam/policy.ts";
import { privateFolder, removeEntries } from "../state/private-folder.ts";
import { findProject } from "../state/projects.ts";
import type { KnativeRevision } from "../run/knative.ts";
import { StartupError } from "../run/instances/instance-error.ts";
import { defaultServiceAccount } from "../run/names.ts";
import type { State } from "../state/state.ts";
import { secretName } from "./secrets.ts";
import { accessVersion } from "./versions.ts";

export interface InstanceSecrets {
  /** Environment variables by name. */
  readonly environment: Readonly<Record<string, string>>;
  /** Folders of secrets, with the paths at which the instance sees them. */
  readonly mounts: NonNullable<StartOptions["mounts"]>;
  close(): void;
}

/**
 * Reads a revision's secrets with its service account's permissions. Throws StartupError if one isn't found, is disabled or can't be read.
 * https://cloud.google.com/run/docs/configuring/services/secrets
 */
export function openInstanceSecrets(state: State, projectId: string, revision: KnativeRevision): InstanceSecrets {
  const { containers, volumes = [] } = revision.spec;
  const [container] = containers;
  const reader = createSecretReader(state, projectId, revision);
  const environment = Object.fromEntries(
    (container?.env ?? []).flatMap(({ name, valueFrom }, index) => {
      if (!valueFrom?.secretKeyRef) return [];
      const { name: secret, key } = valueFrom.secretKeyRef;
      const field = `spec.template.spec.containers[0].env[${index}].value_from.secret_key_ref.name`;
      return [[name, reader.read(field, secret, key).toString("utf8")]];
    }),
  );
  const folders = volumes.flatMap(({ name, secret }, index) => {
    if (!secret) return [];
    const field = `spec.template.spec.volumes[${index}].secret.secret_name`;
    const items = secret.items ?? [{ key: "latest", path: secret.secretName }];
    return [
      { name, folder: String(index), files: items.map(({ key, path }) => ({ path, data: reader.read(field, secret.secretName, key) })) },
    ];
  });
  reader.throwProblems();
  if (folders.length === 0) return { environment, mounts: [], close: () => undefined };

  const root = join(privateFolder(state, "keys", "mounts"), randomUUID());
  for (const { folder, files } of folders) for (const { path, data } of files) writeFile(join(root, folder), path, data);
  const mounts = (container?.volumeMounts ?? []).flatMap(({ name, mountPath }) =>
    folders.filter((volume) => volume.name === name).map(({ folder }) => ({ directory: join(root, folder), path: mountPath })),
  );
  return { environment, mounts, close: () => rmSync(root, { recursive: true, force: true }) };
}

/** Removes folders of instances, which a crash left. Call it before the first instance starts. */
export function removeStaleMounts(state: State): void {
  removeEntries(privateFolder(state, "keys", "mounts"));
}

// Readable by any container user; the parent folder keeps everyone else out.
function writeFile(folder: string, path: string, data: Buffer): void {
  const file = join(folder, posix.join("/", path));
  mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
  writeFileSync(file, data, { mode: 0o444 });
  chmodSync(file, 0o444);
}

/** Reads secrets and collects all problems, which `finish` throws together. */
function createSecretReader(state: State, projectId: string, { metadata, spec }: KnativeRevision) {
  const aliases = parseAliases(metadata.annotations["run.googleapis.com/secrets"] ?? "");
  const project = state.projects.get(projectId);
  const email = spec.serviceAccountName || (project ? defaultServiceAccount(project) : "");
  const problems: string[] = [];
  return {
    read(field: string, name: string, version: string): Buffer {
      const key = aliases.get(name) ?? parseSecretName(name) ?? `${projectId}/${name}`;
      const [owner = "", id = ""] = key.split("/");
      const canonicalKey = `${findProject(state, owner)?.projectId ?? owner}/${id}`;
      const versionName = `${secretName(state, canonicalKey)}/versions/${version}`;
      try {
        const resource = `projects/${canonicalKey.replace("/", "/secrets/")}`;
        if (isAllowed(state, { member: `serviceAccount:${email}`, email }, "secretmanager.versions.access", resource))
          return accessVersion(state, canonicalKey, version).data;
        problems.push(
          `${field}: Permission denied on secret: ${versionName} for Revision service account ${email}. The service account used must be granted the 'Secret Manager Secret Accessor' role (roles/secretmanager.secretAccessor) at the secret, project or higher level.`,
        );
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        problems.push(`${field}: ${error.status === "NOT_FOUND" ? `Secret ${versionName} was not found` : error.message}`);
      }
      return Buffer.alloc(0);
    },
    throwProblems(): void {
      if (problems.length > 0) throw new StartupError("SecretsAccessCheckFailed", problems.join("\n"));
    },
  };
}

/** `ALIAS:projects/PROJECT/secrets/ID,…`: v1's names for secrets of other projects. */
function parseAliases(annotation: string): Map<string, string> {
  const parts = annotation.split(",").map((text) => text.trim().split(":"));
  return new Map(parts.map(([alias = "", name = ""]) => [alias, parseSecretName(name) ?? name]));
}

/** `PROJECT/ID` of a secret's full name, as v2 can have it; undefined for other names. */
function parseSecretName(name: string): string | undefined {
  const [, project, id] = /^projects\/([^/]+)\/secrets\/([^/]+)$/.exec(name) ?? [];
  return project && `${project}/${id}`;
}
