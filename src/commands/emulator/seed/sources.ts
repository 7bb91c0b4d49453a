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

/** Unpacks the sources that services were built from into a folder beside the seed file, `SEED-sources/PROJECT/REGION/SERVICE`. */
export function unpackBeside(file: string): FindSource {
  return async (client, { name, region, project, image }) => {
    const { builds = [] } = (await client.call({
      method: "GET",
      url: `https://cloudbuild.googleapis.com/v1/projects/${project}/builds?pageSize=1000`,
    })) as { readonly builds?: readonly Build[] };
    const [wanted, digest] = image.split("@");
    // The builds come with the latest first.
    const found = builds.find(({ status, results }) => {
      const images = status === "SUCCESS" ? (results?.images ?? []) : [];
      return images.some((built) => (digest ? built.digest === digest : built.name === wanted));
    });
    const stored = found?.source?.storageSource;
    if (!stored) return undefined;
    const url = `https://storage.googleapis.com/storage/v1/b/${stored.bucket}/o/${encodeURIComponent(stored.object)}?alt=media`;
    const answer = await client.send({ method: "GET", url });
    const bytes = await answer.bytes();
    // A zip is left to whoever made it.
    if (answer.status !== 200 || bytes.readUInt16BE(0) !== 0x1f8b) return undefined;
    const folder = join(`${basename(file).replace(/\.json$/, "")}-sources`, project, region, name);
    const directory = join(dirname(file), folder);
    if (existsSync(directory)) return folder;
    await mkdir(directory, { recursive: true });
    await pipeline(Readable.from([bytes]), extract({ cwd: directory }));
    return folder;
  };
}
