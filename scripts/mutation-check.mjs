import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** What is removed from the code, and the tests that must fail then. */
const MUTATIONS = [
  {
    name: "the front end admits every caller",
    file: "src/emulator/front-door/check-access.ts",
    from: 'return isAllowed(state, principal, "run.routes.invoke", resourceName(place, service.metadata.name));',
    to: "return true;",
    tests: [
      "test/emulator/front-door/check-access.test.ts",
      "test/emulator/front-door/generated-policies.test.ts",
      "test/emulator/front-door/mutated-tokens.test.ts",
    ],
  },
  {
    name: "the front end admits every authenticated caller",
    file: "src/emulator/front-door/check-access.ts",
    from: "if (!canInvoke(state, route, credential))",
    to: "if (false)",
    tests: ["test/emulator/front-door/check-access.test.ts", "test/emulator/front-door/generated-policies.test.ts"],
  },
  {
    name: "the front end accepts every signature",
    file: "src/emulator/oauth2/id-tokens.ts",
    from: "!isSignedBy(jwt, publicKey)",
    to: "false",
    tests: ["test/emulator/front-door/authenticate.test.ts", "test/emulator/front-door/mutated-tokens.test.ts"],
  },
  {
    name: "the front end accepts a token for any audience",
    file: "src/emulator/front-door/authenticate.ts",
    from: "!isForGcloud(aud) && !options.audiences.some((audience) => isAudience(aud, audience))",
    to: "false",
    tests: [
      "test/emulator/front-door/check-access.test.ts",
      "test/emulator/front-door/generated-policies.test.ts",
      "test/emulator/front-door/mutated-tokens.test.ts",
    ],
  },
  {
    name: "every caller can use every API",
    file: "src/emulator/iam/policy.ts",
    from: "if (!isAllowed(state, principal, permission, resource)) throw permissionDenied(permission, resource);",
    to: "",
    tests: ["test/emulator/iam/policy.test.ts", "test/emulator/apis/iam.test.ts"],
  },
  {
    name: "every principal can act as every account",
    file: "src/emulator/apis/iamcredentials.ts",
    from: "if (isAllowed(state, principal, permission, `projects/${projectId}/serviceAccounts/${email}`)) return;",
    to: "return;",
    tests: ["test/emulator/apis/iamcredentials.test.ts", "test/emulator/apis/sts.test.ts"],
  },
  {
    name: "every condition counts as met",
    file: "src/emulator/iam/policy.ts",
    from: "isConditionMet(condition, { time: state.now(), resource: canonicalName(state, resource) })",
    to: "true",
    tests: ["test/emulator/iam/conditions.test.ts", "test/emulator/front-door/generated-policies.test.ts"],
  },
];

// A copy, so that a run that is broken off leaves nothing changed behind.
const copy = mkdtempSync(join(tmpdir(), "cloudrun-oauth-mutation-"));
process.once("exit", () => rmSync(copy, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130));
for (const name of ["src", "test", "templates", "package.json", "tsconfig.json"])
  cpSync(join(root, name), join(copy, name), { recursive: true });
symlinkSync(join(root, "node_modules"), join(copy, "node_modules"), "dir");
// None of these tests runs the built command line, so nothing is built before them.
writeFileSync(join(copy, "vitest.config.ts"), 'export default { test: { include: ["test/**/*.test.ts"], testTimeout: 60_000 } };\n');

const tests = [...new Set(MUTATIONS.flatMap(({ tests }) => tests))];
const whole = failuresOf(tests);
if (whole.length > 0) end(`These tests fail as things are: ${whole.join(", ")}`);

let missed = 0;
for (const { name, file, from, to, tests } of MUTATIONS) {
  const path = join(copy, file);
  const text = readFileSync(path, "utf8");
  if (text.split(from).length !== 2) end(`${file} does not have, once, what is to be taken out: ${from}`);
  writeFileSync(
    path,
    text.replace(from, () => to),
  );
  const failed = failuresOf(tests);
  writeFileSync(path, text);
  const silent = tests.filter((test) => !failed.includes(test));
  missed += silent.length;
  process.stdout.write(
    `${silent.length === 0 ? "noticed" : "MISSED "}  ${name}${silent.length === 0 ? "" : `: ${silent.join(", ")} still pass`}\n`,
  );
}
if (missed > 0) end("A test that does not notice what it is there for is no test.");

/** Those of the test files that fail in the copy. */
function failuresOf(files) {
  const report = join(copy, "report.json");
  rmSync(report, { force: true });
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  const { stderr } = spawnSync(process.execPath, [vitest, "run", "--reporter=json", `--outputFile=${report}`, ...files], {
    cwd: copy,
    encoding: "utf8",
  });
  let results;
  try {
    results = JSON.parse(readFileSync(report, "utf8")).testResults;
  } catch {
    end(`vitest gave no report: ${stderr}`);
  }
  if (results.length !== files.length) end(`Of ${files.join(", ")} only ${results.length} ran.`);
  return results.filter(({ status }) => status !== "passed").map(({ name }) => files.find((file) => name.endsWith(file)));
}

function end(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
