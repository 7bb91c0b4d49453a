import { createHash, type Hash } from "node:crypto";
import { open, readdir, readlink, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ImageConfig } from "../state/resources.ts";

/** The digest of an OCI manifest whose only layer is the image's directory: equal files and configs have equal digests. */
export async function digestImage(directory: string, config: ImageConfig): Promise<string> {
  const layer = createHash("sha256");
  await addDirectory(layer, directory, "");
  const { Env, Entrypoint, Cmd, WorkingDir, User } = config;
  const manifest = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: {
      mediaType: "application/vnd.oci.image.config.v1+json",
      digest: digest(JSON.stringify({ Env, Entrypoint, Cmd, WorkingDir, User })),
    },
    layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar", digest: `sha256:${layer.digest("hex")}` }],
  };
  return digest(JSON.stringify(manifest));
}

/** Compiled Python files contain the path and time of their compilation. */
const PYTHON_CACHE_FOLDERS = new Set(["__pycache__"]);

async function addDirectory(hash: Hash, root: string, folder: string): Promise<void> {
  const entries = await readdir(join(root, folder), { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isSymbolicLink()) hash.update(entryLine("link", path, await readlink(join(root, path))));
    else if (entry.isDirectory() && !PYTHON_CACHE_FOLDERS.has(entry.name)) {
      hash.update(entryLine("directory", path, ""));
      await addDirectory(hash, root, path);
    } else if (entry.isFile()) {
      const { mode } = await stat(join(root, path));
      hash.update(entryLine(mode & 0o111 ? "program" : "file", path, await hashFile(join(root, path))));
    }
  }
}

/** JSON quoting separates a name from its neighbors. */
function entryLine(kind: string, path: string, content: string): string {
  return `${JSON.stringify([kind, path, content])}\n`;
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  const handle = await open(path, "r");
  try {
    const buffer = Buffer.allocUnsafe(256 * 1024);
    for (let bytesRead = -1; bytesRead !== 0;) {
      ({ bytesRead } = await handle.read(buffer));
      hash.update(buffer.subarray(0, bytesRead));
    }
  } finally {
    await handle.close();
  }
  return hash.digest("hex");
}

function digest(text: string): string {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}
