import { randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { HostTools } from "../host-tools.ts";
import type { Reaper } from "../reaper.ts";
import { runProgram, type ContainerProgram } from "./container-program.ts";

const DIRECTORY_LABEL = "cloudrun-oauth.directory";
const RUN_LABEL = "cloudrun-oauth.run";
/** The file in an image's directory that names the image in docker or podman. */
const ID_FILE = "image-id";
const MAX_ATTEMPTS = 5;

type ShouldRemove = (id: string, owner: string) => boolean;

export interface OwnedResources {
  readonly imageLabel: string;
  /** Marks containers as this emulator's, and as belonging to this run of it. */
  readonly containerLabels: readonly string[];
  /** A shell command that removes the containers of this run. */
  readonly removalCommand: string;
  remove(container: string): Promise<void>;
  /** Removes what emulators without a directory left, and this emulator's containers and unknown images. */
  sweep(): Promise<void>;
}

export interface OpenedEngine {
  readonly program: ContainerProgram;
  readonly resources: OwnedResources;
  /** The user's environment, of which docker or podman gets what it needs. */
  readonly env: HostTools["env"];
  /** Files that instances see at the same path when their environment names them. */
  readonly shared: readonly string[];
  readonly reaper: Reaper;
}

/** Labels, finds and removes an emulator's images and containers. */
export function openOwnedResources({ name, file }: ContainerProgram, directory: string, env: HostTools["env"]): OwnedResources {
  const run = randomUUID();
  const runEngine = (...args: readonly string[]): Promise<string> => runProgram(file, args, env);
  // Docker kills containers that it removes; podman waits for ten seconds first.
  const rm = name === "podman" ? ["rm", "--force", "--time", "0"] : ["rm", "--force"];

  /** Lists the containers or images of all emulators, each with its emulator's directory. */
  const listAll = async (kind: "container" | "image"): Promise<(readonly [id: string, directory: string])[]> => {
    const list = kind === "container" ? ["ps", "--all"] : ["images"];
    const ids = new Set((await runEngine(...list, "--quiet", "--no-trunc", "--filter", `label=${DIRECTORY_LABEL}`)).split("\n"));
    ids.delete("");
    if (ids.size === 0) return [];
    const lines = await runEngine(kind, "inspect", "--format", `{{.Id}} {{index .Config.Labels "${DIRECTORY_LABEL}"}}`, ...ids);
    return lines.split("\n").map((line) => [toHex(line.slice(0, line.indexOf(" "))), line.slice(line.indexOf(" ") + 1)] as const);
  };

  /** Removes the selected ones. Another emulator can be removing them too: if one is already gone, the list is read again. */
  const removeAll = async (kind: "container" | "image", command: readonly string[], shouldRemove: ShouldRemove): Promise<void> => {
    for (let attemptsLeft = MAX_ATTEMPTS; ; attemptsLeft -= 1) {
      try {
        for (const [id, owner] of await listAll(kind)) if (shouldRemove(id, owner)) await runEngine(...command, id);
        return;
      } catch (error) {
        if (attemptsLeft === 1) throw error;
      }
    }
  };

  const sweep = async (): Promise<void> => {
    const isGone = (owner: string): boolean => !existsSync(owner);
    await removeAll("container", rm, (_, owner) => owner === directory || isGone(owner));
    const knownIds = new Set(readImageIds(directory));
    await removeAll("image", ["rmi", "--force"], (id, owner) => (owner === directory ? !knownIds.has(id) : isGone(owner)));
  };

  return {
    imageLabel: `${DIRECTORY_LABEL}=${directory}`,
    containerLabels: [`${DIRECTORY_LABEL}=${directory}`, `${RUN_LABEL}=${run}`],
    removalCommand: [
      ...Object.entries(env).map(([key, value]) => `export ${key}=${quote(value ?? "")}`),
      `ids=$(${quote(file)} ps --all --quiet --filter label=${RUN_LABEL}=${run})`,
      `[ -z "$ids" ] || ${quote(file)} ${rm.join(" ")} $ids`,
    ].join("; "),
    async remove(container) {
      // It can be gone already.
      await runEngine(...rm, container).catch(() => undefined);
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

function readImageIds(directory: string): string[] {
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
