import type { Message } from "./annotation-fields.ts";
import { defined } from "./container.ts";
import type { VolumeMessage } from "./request.ts";

/** A volume of v1: the sources are Kubernetes's. */
export interface KnativeVolume {
  readonly name: string;
  readonly secret?: {
    readonly secretName: string;
    readonly defaultMode?: number;
    readonly items?: readonly { readonly key: string; readonly path: string; readonly mode?: number }[];
  };
  readonly emptyDir?: { readonly medium?: string; readonly sizeLimit?: string };
  readonly nfs?: Message;
  readonly csi?: {
    readonly driver: string;
    readonly readOnly?: boolean;
    readonly volumeAttributes?: { readonly bucketName?: string; readonly mountOptions?: string };
  };
}

const GCS_FUSE = "gcsfuse.run.googleapis.com";
const CLOUD_SQL = "run.googleapis.com/cloudsql-instances";

/** The volumes of v2 as v1 has them; Cloud SQL is an annotation there. */
export function readVolumes(volumes: readonly VolumeMessage[]): Message[] {
  return volumes
    .filter(({ cloudSqlInstance }) => !cloudSqlInstance)
    .map(({ name = "", secret, emptyDir, nfs, gcs }) => ({
      name,
      ...(secret && {
        secret: defined({
          secretName: secret.secret,
          defaultMode: secret.defaultMode,
          items: secret.items?.map(({ version, path, mode }) => defined({ key: version ?? "latest", path, mode })),
        }),
      }),
      ...(emptyDir && { emptyDir: defined({ medium: emptyDir.medium && "Memory", sizeLimit: emptyDir.sizeLimit }) }),
      ...(nfs && { nfs }),
      ...(gcs && {
        csi: {
          driver: GCS_FUSE,
          ...defined({ readOnly: gcs.readOnly }),
          volumeAttributes: defined({ bucketName: gcs.bucket, mountOptions: gcs.mountOptions?.join(",") }),
        },
      }),
    }));
}

/** The annotation that v1 has for v2's Cloud SQL volumes. */
export function volumeAnnotations(volumes: readonly VolumeMessage[]): Readonly<Record<string, string>> {
  const instances = volumes.flatMap(({ cloudSqlInstance }) => cloudSqlInstance?.instances ?? []);
  return instances.length > 0 ? { [CLOUD_SQL]: instances.join(",") } : {};
}

/** Whether an annotation of a template is one of `volumeAnnotations`. */
export function isVolumeAnnotation(name: string): boolean {
  return name === CLOUD_SQL;
}

/** The volumes of v1 as v2 shows them. */
export function showVolumes(volumes: readonly KnativeVolume[], annotations: Readonly<Record<string, string>>): Message[] {
  const instances = annotations[CLOUD_SQL]?.split(",");
  return [
    ...volumes.map(({ name, secret, emptyDir, nfs, csi }) => ({
      name,
      ...(secret && {
        secret: defined({
          secret: secret.secretName,
          defaultMode: secret.defaultMode,
          items: secret.items?.map(({ key, path, mode }) => defined({ version: key, path, mode })),
        }),
      }),
      ...(emptyDir && { emptyDir: defined({ medium: emptyDir.medium && "MEMORY", sizeLimit: emptyDir.sizeLimit }) }),
      ...(nfs && { nfs }),
      ...(csi?.driver === GCS_FUSE && {
        gcs: defined({
          bucket: csi.volumeAttributes?.bucketName,
          readOnly: csi.readOnly,
          mountOptions: csi.volumeAttributes?.mountOptions?.split(","),
        }),
      }),
    })),
    ...(instances ? [{ name: "cloudsql", cloudSqlInstance: { instances } }] : []),
  ];
}
