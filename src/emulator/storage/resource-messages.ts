import type { Bucket, StorageObject } from "../state/resources.ts";

const API = "https://www.googleapis.com/storage/v1";

/** A bucket in the JSON API: https://cloud.google.com/storage/docs/json_api/v1/buckets#resource */
export function bucketMessage({ name, projectNumber, location, timeCreated }: Bucket): object {
  return {
    kind: "storage#bucket",
    selfLink: `${API}/b/${name}`,
    id: name,
    name,
    projectNumber,
    metageneration: "1",
    location,
    locationType: ["US", "EU", "ASIA"].includes(location) ? "multi-region" : "region",
    storageClass: "STANDARD",
    etag: "CAE=",
    timeCreated,
    updated: timeCreated,
    iamConfiguration: { uniformBucketLevelAccess: { enabled: true }, publicAccessPrevention: "enforced" },
  };
}

/** An object's metadata in the JSON API: https://cloud.google.com/storage/docs/json_api/v1/objects#resource */
export function objectMessage({ bucket, name, generation, contentType, size, md5Hash, crc32c, timeCreated }: StorageObject): object {
  const path = `b/${bucket}/o/${encodeURIComponent(name)}`;
  return {
    kind: "storage#object",
    id: `${bucket}/${name}/${generation}`,
    selfLink: `${API}/${path}`,
    mediaLink: `https://storage.googleapis.com/download/storage/v1/${path}?generation=${generation}&alt=media`,
    name,
    bucket,
    generation,
    metageneration: "1",
    contentType,
    storageClass: "STANDARD",
    size: String(size),
    md5Hash,
    crc32c,
    etag: etag(generation),
    timeCreated,
    updated: timeCreated,
    timeStorageClassUpdated: timeCreated,
    timeFinalized: timeCreated,
  };
}

/** Base64, like Google's etags, and different for each generation. */
export function etag(generation: string): string {
  return Buffer.from(generation).toString("base64");
}
