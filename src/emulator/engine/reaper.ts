import { spawn, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { closeSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Ends the process groups that the emulator started if the emulator dies, even by SIGKILL. It learns about every group that starts and
 * ends.
 */
export interface Reaper {
  /**
   * The empty standard input that a group's first process must be started with. It identifies the process if the emulator was killed after
   * starting it and before registering its group.
   */
  readonly stdinMarker: number | "ignore";
  add(group: number): void;
  remove(group: number): void;
  /** Sets the shell command, on one line, that runs after the groups of a killed emulator are gone. */
  setCleanupCommand(command: string): void;
}

// The pipe on its standard input closes when the emulator ends, however it ends. Descriptor 3 is the stdin marker. A second search finds
// processes that the emulator was just starting. A child that left its group, as in podman's builds, can't be found once its parent is
// gone; podman then cleans up without it.
const SCRIPT = `
groups=
cleanup_command=
while read -r line; do
  group=\${line#?}
  case $line in
    +*) groups="$groups $group" ;;
    -*) rest=
        for other in $groups; do [ "$other" = "$group" ] || rest="$rest $other"; done
        groups=$rest ;;
    !*) cleanup_command=$group ;;
  esac
done
find_marked() {
  for input in /proc/[0-9]*/fd/0; do
    [ "$input" -ef /proc/$$/fd/3 ] || continue
    group=\${input#/proc/}
    groups="$groups \${group%%/*}"
  done
}
group_of() {
  { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  set -- \${stat##*) }
  parent=$2 group=$3
}
kill_orphans() {
  for folder in /proc/[0-9]*; do
    group_of "\${folder#/proc/}" || continue
    own=$group
    group_of "$parent" && [ "$group" != "$own" ] || continue
    case "$groups " in *" $group "*) kill -s KILL "\${folder#/proc/}" && orphans_found=1 ;; esac
  done
}
signal() { for group in $groups; do kill -s "$1" -- "-$group" 2>/dev/null; done; }
is_left() { for group in $groups; do kill -s 0 -- "-$group" 2>/dev/null && return 0; done; return 1; }
orphans_found=
find_marked
kill_orphans
[ -z "$orphans_found" ] || sleep 1
signal TERM
sleep 0.2
find_marked
signal TERM
tries=28
while is_left && [ "$tries" -gt 0 ]; do
  sleep 0.1
  tries=$((tries - 1))
done
signal KILL
[ -z "$groups" ] || eval "$cleanup_command"
`;

/** Creates a reaper in its own process, which starts before the first group and ends after the emulator. */
export function createReaper(): Reaper {
  // Unlike Cloud Run: on Windows, instances and builds keep running if the emulator is killed.
  if (process.platform === "win32") return { stdinMarker: "ignore", add: () => {}, remove: () => {}, setCleanupCommand: () => {} };

  const groups = new Set<number>();
  let stdinMarker: number | undefined;
  let cleanupCommand: string | undefined;
  let script: ChildProcess | undefined;
  const send = (line: string): void => void script?.stdin?.write(`${line}\n`);
  const ensureStarted = (): number => {
    stdinMarker ??= openEmpty();
    if (script) return stdinMarker;
    // In its own session, so that Ctrl-C in the emulator's terminal doesn't reach it.
    const child = spawn("/bin/sh", ["-c", SCRIPT], {
      stdio: ["pipe", "ignore", "ignore", stdinMarker],
      detached: true,
      env: { PATH: "/usr/bin:/bin" },
      cwd: "/",
    });
    const onExit = (): void => void (script === child && (script = undefined));
    child.on("error", onExit).on("exit", onExit).unref();
    const stdin = child.stdio[0] as NonNullable<typeof child.stdin>;
    stdin.on("error", onExit);
    if ("unref" in stdin) (stdin as typeof stdin & { unref(): void }).unref();
    script = child;
    for (const group of groups) send(`+${group}`);
    if (cleanupCommand !== undefined) send(`!${cleanupCommand}`);
    return stdinMarker;
  };
  return {
    // Unlike Cloud Run: on systems without /proc, such as macOS, a process that is just starting survives a SIGKILL of the emulator.
    get stdinMarker() {
      return ensureStarted();
    },
    add(group) {
      groups.add(group);
      if (script) send(`+${group}`);
      else ensureStarted();
    },
    remove(group) {
      groups.delete(group);
      send(`-${group}`);
    },
    setCleanupCommand(command) {
      cleanupCommand = command;
      send(`!${cleanupCommand}`);
    },
  };
}

/** Opens an empty file that no one else can open. */
function openEmpty(): number {
  const file = join(tmpdir(), `cloudrun-oauth-${randomUUID()}`);
  try {
    closeSync(openSync(file, "wx", 0o600));
    return openSync(file, "r");
  } finally {
    rmSync(file, { force: true });
  }
}
