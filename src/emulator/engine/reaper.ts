import { spawn, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { closeSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Sees to it that no process outlives the emulator, not even when the emulator is killed by SIGKILL.
 * It is told every process group that is started, and that has ended.
 */
export interface Reaper {
  /**
   * What a group's first process has to be started with as its standard input, which is empty. It is known by that where the emulator was
   * killed after it had started the process, and before it could tell.
   */
  readonly leash: number | "ignore";
  add(group: number): void;
  remove(group: number): void;
  /** Says which shell command, of one line, is run where the emulator was killed and left groups, once these are gone. */
  atEnd(command: string): void;
}

// The pipe on its standard input closes when the emulator ends, however it ends. Descriptor 3 is the leash.
// A second look finds what the emulator was just about to start. A child that has left its group, as podman's builds have them, is no longer found
// once its parent is gone; without it, podman clears away by itself.
const SCRIPT = `
groups=
after=
while read -r line; do
  group=\${line#?}
  case $line in
    +*) groups="$groups $group" ;;
    -*) rest=
        for each in $groups; do [ "$each" = "$group" ] || rest="$rest $each"; done
        groups=$rest ;;
    !*) after=$group ;;
  esac
done
find_leashed() {
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
kill_strays() {
  for folder in /proc/[0-9]*; do
    group_of "\${folder#/proc/}" || continue
    own=$group
    group_of "$parent" && [ "$group" != "$own" ] || continue
    case "$groups " in *" $group "*) kill -s KILL "\${folder#/proc/}" && strays=1 ;; esac
  done
}
signal() { for group in $groups; do kill -s "$1" -- "-$group" 2>/dev/null; done; }
is_left() { for group in $groups; do kill -s 0 -- "-$group" 2>/dev/null && return 0; done; return 1; }
strays=
find_leashed
kill_strays
[ -z "$strays" ] || sleep 1
signal TERM
sleep 0.2
find_leashed
signal TERM
tries=28
while is_left && [ "$tries" -gt 0 ]; do
  sleep 0.1
  tries=$((tries - 1))
done
signal KILL
[ -z "$groups" ] || eval "$after"
`;

/** A reaper in a process of its own, which is started before the first group and ends by itself with the emulator. */
export function createReaper(): Reaper {
  // Unlike Cloud Run: on Windows, what runs goes on where the emulator is killed by force.
  if (process.platform === "win32") return { leash: "ignore", add: () => {}, remove: () => {}, atEnd: () => {} };

  const groups = new Set<number>();
  let leash: number | undefined;
  let after: string | undefined;
  let script: ChildProcess | undefined;
  const tell = (line: string): void => void script?.stdin?.write(`${line}\n`);
  const begin = (): number => {
    leash ??= openEmpty();
    if (script) return leash;
    // In a session of its own, so that Ctrl-C in the emulator's terminal does not reach it.
    const started = spawn("/bin/sh", ["-c", SCRIPT], {
      stdio: ["pipe", "ignore", "ignore", leash],
      detached: true,
      env: { PATH: "/usr/bin:/bin" },
      cwd: "/",
    });
    const lost = (): void => void (script === started && (script = undefined));
    started.on("error", lost).on("exit", lost).unref();
    const stdin = started.stdio[0] as NonNullable<typeof started.stdin>;
    stdin.on("error", lost);
    if ("unref" in stdin) (stdin as typeof stdin & { unref(): void }).unref();
    script = started;
    for (const group of groups) tell(`+${group}`);
    if (after !== undefined) tell(`!${after}`);
    return leash;
  };
  return {
    // Unlike Cloud Run: where there is no /proc, as on macOS, a process that was being started in the moment of a SIGKILL stays.
    get leash() {
      return begin();
    },
    add(group) {
      groups.add(group);
      if (script) tell(`+${group}`);
      else begin();
    },
    remove(group) {
      groups.delete(group);
      tell(`-${group}`);
    },
    atEnd(command) {
      after = command;
      tell(`!${after}`);
    },
  };
}

/** Opens an empty file that nobody else can open. */
function openEmpty(): number {
  const file = join(tmpdir(), `cloudrun-oauth-${randomUUID()}`);
  try {
    closeSync(openSync(file, "wx", 0o600));
    return openSync(file, "r");
  } finally {
    rmSync(file, { force: true });
  }
}
