import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { RunTool } from "./python.ts";

const CHECK_REQUIREMENTS_SCRIPT = `
import re, sys
from importlib.metadata import PackageNotFoundError, version

def release(text):
    return [int(number) for number in re.match(r"v?(\\d+(?:\\.\\d+)*)", text).group(1).split(".")]

def holds(have, operator, want):
    prefix = want.endswith(".*")
    want = release(want[:-2] if prefix else want)
    if prefix or operator == "~=":
        same = have[:len(want) - (operator == "~=")] == want[:len(want) - (operator == "~=")]
    have, want = (numbers + [0] * (8 - len(numbers)) for numbers in (have, want))
    if operator == "~=": return same and have >= want
    if prefix: return same == (operator == "==")
    return {"==": have == want, "!=": have != want, ">=": have >= want, "<=": have <= want, ">": have > want, "<": have < want}[operator]

def is_met(requirement):
    parts = re.fullmatch(r"([\\w.-]+)\\s*((?:(?:[=!<>~]=|[<>])\\s*[\\w.*]+\\s*,?\\s*)*)", requirement)
    if not parts: return False
    try: have = version(parts.group(1))
    except PackageNotFoundError: return False
    met = all(holds(release(have), *wanted) for wanted in re.findall(r"([=!<>~]=|[<>])\\s*([\\w.*]+)", parts.group(2)))
    if met: print(f"Requirement already satisfied: {requirement} ({have})")
    return met

sys.exit(not all([is_met(requirement) for requirement in sys.argv[1:]]))
`;

// Unlike Cloud Run: dependencies of installed Python packages aren't checked, because a distribution that ships them can have loosened them.
/** Whether a Python's packages meet all requirements; those other than names and versions count as not met. */
export async function areRequirementsMet(requirements: readonly string[], python: string, run: RunTool): Promise<boolean> {
  return run([python, "-c", CHECK_REQUIREMENTS_SCRIPT, ...requirements], "check requirements").then(
    () => true,
    () => false,
  );
}

/** The requirements that `pip install` gets, including those of requirements files. Undefined if other arguments need pip itself. */
export async function readRequirements(pipArguments: readonly string[], folder: string): Promise<string[] | undefined> {
  const requirements: string[] = [];
  const words = pipArguments.slice(1).filter((word) => !["--no-cache-dir", "--no-cache", "--quiet", "-q"].includes(word));
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] as string;
    if (word === "-r" || word === "--requirement") {
      index += 1;
      const lines = (await readFile(resolve(folder, words[index] ?? ""), "utf8")).split(/\r?\n/);
      requirements.push(...lines.map((line) => line.replace(/(^|\s)#.*/, "").trim()).filter((line) => line !== ""));
    } else if (word.startsWith("-")) {
      return undefined;
    } else {
      requirements.push(word);
    }
  }
  return requirements;
}
