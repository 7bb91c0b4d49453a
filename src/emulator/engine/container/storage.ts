import { randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Machine } from "../host-tools.ts";
import { runProgram, type ContainerProgram } from "./program.ts";

const DIRECTORY_LABEL = "cloudrun-oauth.directory";
const RUN_LABEL = "cloudrun-oauth.run";
/** The file in an image's directory that names the image in the storage of docker or podman. */
const ID_FILE = "image-id";
const ATTEMPTS = 5;

type IsRefuse = (id: string, owner: string) => boolean;

/** What docker or podman keeps for one emulator. */
export interface Storage {
  /** What makes images known as this emulator's. */
  readonly imageLabel: string;
  /** What makes containers known as this emulator's, and of this run of it. */
  readonly containerLabels: readonly string[];
  /** A shell command that removes the containers of this run. */
  readonly removal: string;
  /** Removes one container, whatever it does. */
  remove(container: string): Promise<void>;
  /** Removes the containers and the images of emulators whose directory is gone, and of this one all containers, and the images that it does not know. */
  sweep(): Promise<void>;
}

/** Commands of docker or podman that manage what it keeps. */
export function openStorage({ name, file }: ContainerProgram, directory: string, env: Machine["env"]): Storage {
  const run = randomUUID();
  const tell = (...args: readonly string[]): Promise<string> => runProgram(file, args, env);
  // Docker kills what it removes; podman waits for ten seconds first.
  const rm = name === "podman" ? ["rm", "--force", "--time", "0"] : ["rm", "--force"];

  /** The containers or images of all emulators, each with its emulator's directory. */
  const listAll = async (kind: "container" | "image"): Promise<(readonly [id: string, directory: string])[]> => {
    const list = kind === "container" ? ["ps", "--all"] : ["images"];
    const ids = new Set((await tell(...list, "--quiet", "--no-trunc", "--filter", `label=${DIRECTORY_LABEL}`)).split("\n"));
    ids.delete("");
    if (ids.size === 0) return [];
    const lines = await tell(kind, "inspect", "--format", `{{.Id}} {{index .Config.Labels "${DIRECTORY_LABEL}"}}`, ...ids);
    return lines.split("\n").map((line) => [toHex(line.slice(0, line.indexOf(" "))), line.slice(line.indexOf(" ") + 1)] as const);
  };

  /** Removes those that a choice falls on. Another emulator may be at it too: what fails since something is gone is looked at anew. */
  const removeAll = async (kind: "container" | "image", removal: readonly string[], isRefuse: IsRefuse): Promise<void> => {
    for (let left = ATTEMPTS; ; left -= 1) {
      try {
        for (const [id, owner] of await listAll(kind)) if (isRefuse(id, owner)) await tell(...removal, id);
        return;
      } catch (error) {
        if (left === 1) throw error;
      }
    }
  };

  const sweep = async (): Promise<void> => {
    const isGone = (owner: string): boolean => !existsSync(owner);
    await removeAll("container", rm, (_, owner) => owner === directory || isGone(owner));
    const known = new Set(knownImages(directory));
    await removeAll("image", ["rmi", "--force"], (id, owner) => (owner === directory ? !known.has(id) : isGone(owner)));
  };

  return {
    imageLabel: `${DIRECTORY_LABEL}=${directory}`,
    containerLabels: [`${DIRECTORY_LABEL}=${directory}`, `${RUN_LABEL}=${run}`],
    removal: [
      ...Object.entries(env).map(([key, value]) => `export ${key}=${quote(value ?? "")}`),
      `ids=$(${quote(file)} ps --all --quiet --filter label=${RUN_LABEL}=${run})`,
      `[ -z "$ids" ] || ${quote(file)} ${rm.join(" ")} $ids`,
    ].join("; "),
    async remove(container) {
      // It may be gone by itself.
      await tell(...rm, container).catch(() => undefined);
    },
    sweep,
  };
}

export function readImageId(imageDirectory: string): string {
  return readFileSync(join(imageDirectory, ID_FILE), "utf8");
}

export function imageIdFile(imageDirectory: string): string {
  return join(imageDirectory, ID_FILE);
}

/** The images that an emulator has folders of. */
function knownImages(directory: string): string[] {
  const images = join(directory, "images");
  if (!existsSync(images)) return [];
  return readdirSync(images)
    .filter((name) => existsSync(imageIdFile(join(images, name))))
    .map((name) => toHex(readImageId(join(images, name))));
}

function toHex(id: string): string {
  return id.replace(/^sha256:/, "");
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''").replaceAll("\n", " ")}'`;
}
