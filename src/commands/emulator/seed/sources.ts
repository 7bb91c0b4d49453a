import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract } from "tar";
import type { FindSource } from "./export-seed.ts";

interface Build {
  readonly status: string;
  readonly source?: { readonly storageSource?: { readonly bucket: string; readonly object: string } };
  readonly results?: { readonly images?: readonly { readonly name: string; readonly digest: string }[] };
}

/** Unpacks the sources of services beside the seed file, into `SEED-sources/PROJECT/REGION/SERVICE`. */
export function unpackSources(file: string): FindSource {
  return async (client, { name, region, project, image }) => {
    const list = `https://cloudbuild.googleapis.com/v1/projects/${project}/builds?pageSize=1000`;
    const { builds = [] } = await client.call<{ readonly builds?: readonly Build[] }>({ method: "GET", url: list });
    const [imageName, digest] = image.split("@");
    // The latest build is first.
    const build = builds.find(({ status, results }) => {
      const images = status === "SUCCESS" ? (results?.images ?? []) : [];
      return images.some((built) => (digest ? built.digest === digest : built.name === imageName));
    });
    const stored = build?.source?.storageSource;
    if (!stored) return undefined;
    const url = `https://storage.googleapis.com/storage/v1/b/${stored.bucket}/o/${encodeURIComponent(stored.object)}?alt=media`;
    const response = await client.send({ method: "GET", url });
    const bytes = await response.bytes();
    // Only gzipped tars are unpacked.
    if (response.status !== 200 || bytes.readUInt16BE(0) !== 0x1f8b) return undefined;
    const folder = join(`${basename(file).replace(/\.json$/, "")}-sources`, project, region, name);
    const directory = join(dirname(file), folder);
    if (existsSync(directory)) return folder;
    await mkdir(directory, { recursive: true });
    await pipeline(Readable.from([bytes]), extract({ cwd: directory }));
    return folder;
  };
}
