import type { Message } from "./annotation-fields.ts";
import { setFields } from "./convert-container.ts";
import type { VolumeMessage } from "./service-schema.ts";

/** A volume of v1, with Kubernetes' sources. */
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

/** Converts the volumes of v2 to v1, except for Cloud SQL, which is an annotation there. */
export function toKnativeVolumes(volumes: readonly VolumeMessage[]): Message[] {
  return volumes
    .filter(({ cloudSqlInstance }) => !cloudSqlInstance)
    .map(({ name = "", secret, emptyDir, nfs, gcs }) => ({
      name,
      ...(secret && {
        secret: setFields({
          secretName: secret.secret,
          defaultMode: secret.defaultMode,
          items: secret.items?.map(({ version, path, mode }) => setFields({ key: version ?? "latest", path, mode })),
        }),
      }),
      ...(emptyDir && { emptyDir: setFields({ medium: emptyDir.medium && "Memory", sizeLimit: emptyDir.sizeLimit }) }),
      ...(nfs && { nfs }),
      ...(gcs && {
        csi: {
          driver: GCS_FUSE,
          ...setFields({ readOnly: gcs.readOnly }),
          volumeAttributes: setFields({ bucketName: gcs.bucket, mountOptions: gcs.mountOptions?.join(",") }),
        },
      }),
    }));
}

/** The v1 annotation of v2's Cloud SQL volumes. */
export function volumeAnnotations(volumes: readonly VolumeMessage[]): Readonly<Record<string, string>> {
  const instances = volumes.flatMap(({ cloudSqlInstance }) => cloudSqlInstance?.instances ?? []);
  return instances.length > 0 ? { [CLOUD_SQL]: instances.join(",") } : {};
}

export function isVolumeAnnotation(name: string): boolean {
  return name === CLOUD_SQL;
}

export function toVolumeMessages(volumes: readonly KnativeVolume[], annotations: Readonly<Record<string, string>>): Message[] {
  const instances = annotations[CLOUD_SQL]?.split(",");
  return [
    ...volumes.map(({ name, secret, emptyDir, nfs, csi }) => ({
      name,
      ...(secret && {
        secret: setFields({
          secret: secret.secretName,
          defaultMode: secret.defaultMode,
          items: secret.items?.map(({ key, path, mode }) => setFields({ version: key, path, mode })),
        }),
      }),
      ...(emptyDir && { emptyDir: setFields({ medium: emptyDir.medium && "MEMORY", sizeLimit: emptyDir.sizeLimit }) }),
      ...(nfs && { nfs }),
      ...(csi?.driver === GCS_FUSE && {
        gcs: setFields({
          bucket: csi.volumeAttributes?.bucketName,
          readOnly: csi.readOnly,
          mountOptions: csi.volumeAttributes?.mountOptions?.split(","),
        }),
      }),
    })),
    ...(instances ? [{ name: "cloudsql", cloudSqlInstance: { instances } }] : []),
  ];
}
