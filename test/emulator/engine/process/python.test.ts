import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { digestImage } from "../../../../src/emulator/artifact-registry/image-digest.ts";
import { buildImage, freePort, startInstance, temporaryFolder, until } from "../../../helpers/process-engine.ts";
import { testNeeding } from "../../../helpers/requirements.ts";

const WRITE_WHEEL = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1] + "/greeting-1.0-py3-none-any.whl", "w") as wheel:
    info = "greeting-1.0.dist-info/"
    wheel.writestr("greeting.py", "import sys\\ndef main():\\n    print('Hello from', sys.argv[1], sys.prefix)\\n    return 4\\n")
    wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: greeting\\nVersion: 1.0\\n")
    wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    wheel.writestr(info + "entry_points.txt", "[console_scripts]\\ngreet = greeting:main\\n")
    wheel.writestr(info + "RECORD", "")
`;

/** A build context with a wheel whose program prints where it runs. */
function contextWithWheel(python: string, dockerfile: string): string {
  const context = temporaryFolder({ Dockerfile: dockerfile });
  execFileSync(python, ["-c", WRITE_WHEEL, context]);
  return context;
}

// Not every Python has pip: Debian packages it separately.
const withPip = ["python3", "/usr/bin/python3"].find(
  (python) => spawnSync(python, ["-c", "import ensurepip"], { stdio: "ignore" }).status === 0,
);

test.skipIf(withPip === undefined)(
  "pip installs into the image, not into this machine, and the image can be taken apart as the official one",
  async () => {
    const python = withPip as string;
    const context = contextWithWheel(
      python,
      `FROM python AS build
COPY greeting-1.0-py3-none-any.whl /wheels/
RUN pip install --no-index --no-warn-script-location --prefix=/install /wheels/greeting-1.0-py3-none-any.whl
FROM python
COPY --from=build /install /usr/local
RUN python3 -m pip --version && pip install greeting==1.0
CMD ["greet", "an image"]`,
    );
    const image = await buildImage(context, { python });
    expect(image.log).toContain("Requirement already satisfied: greeting==1.0 (1.0)");
    expect(spawnSync(python, ["-c", "import greeting"], { stdio: "ignore" }).status).toBe(1);

    const instance = await startInstance(image);
    expect(await instance.exited).toEqual({ code: 4, signal: null });
    expect(instance.lines).toEqual([`stdout: Hello from an image ${image.path("/usr/local")}`]);
  },
);

test.skipIf(withPip === undefined)("an image of Python has the same digest wherever it is built", async () => {
  const python = withPip as string;
  const context = contextWithWheel(
    python,
    "FROM python\nCOPY . /app\nRUN pip install --no-index --no-warn-script-location /app/greeting-1.0-py3-none-any.whl",
  );
  const images = [await buildImage(context, { python }), await buildImage(context, { python })];
  const [first, second] = await Promise.all(images.map(({ directory, config }) => digestImage(directory, config)));
  expect(second).toBe(first);
});

testNeeding("python", "requirements that this machine's packages meet are not installed anew", async ([python = ""]) => {
  const { log, path } = await buildImage(
    {
      "requirements.txt": "flask>=2\ngunicorn>=20",
      Dockerfile: "FROM python:3.1\nCOPY requirements.txt /app/\nRUN pip install -r /app/requirements.txt",
    },
    // The build fails if it asks a package index.
    { python, env: { ...process.env, PIP_INDEX_URL: "http://127.0.0.1:9/simple" } },
  );
  expect(log).toMatch(/Warning: using local Python 3\.[\d.]+ instead of python:3\.1\./);
  expect(log).toMatch(/Requirement already satisfied: flask>=2 \(.*\)\nRequirement already satisfied: gunicorn>=20 \(/);
  expect(existsSync(path("/usr/local/bin/gunicorn"))).toBe(true);
});

testNeeding("python", "the programs of this machine's packages run in the image's Python, from a shell as well", async ([python = ""]) => {
  const image = await buildImage(
    {
      "main.py": "import sys\ndef app(environ, start_response):\n    start_response('200 OK', [])\n    return [sys.prefix.encode()]\n",
      Dockerfile: "FROM python:3\nWORKDIR /app\nCOPY main.py .\nCMD exec gunicorn --bind $HOST:$PORT main:app",
    },
    { python },
  );
  const port = await freePort();
  await startInstance(image, { port, env: { PORT: String(port) } });
  let prefix = "";
  await until(
    async () =>
      (prefix = await fetch(`http://127.0.0.1:${port}/`).then(
        (answer) => answer.text(),
        () => "",
      )) !== "",
  );
  expect(prefix).toBe(image.path("/usr/local"));
});

testNeeding("python", "a missing requirement needs pip, and the error says how to install it", async ([python = ""]) => {
  const version = execFileSync(python, ["-c", "import sys; print('python%d.%d' % sys.version_info[:2])"], { encoding: "utf8" }).trim();
  const context = temporaryFolder({
    "none.pth": "import sys; sys.modules.update(pip=None, ensurepip=None)\n",
    Dockerfile: `FROM python\nCOPY none.pth ${join("/usr/local/lib", version, "site-packages/")}\nRUN pip install nothing-like-this`,
  });
  let log = "";
  await expect(buildImage(context, { python, onLog: (text) => (log += text) })).rejects.toThrow(
    "Dockerfile line 3: RUN pip install nothing-like-this\nThe command 'python -m ensurepip' returned a non-zero code: 1",
  );
  expect(log).toContain("The local Python has no pip. On Debian and Ubuntu, install python3-venv.\n");
});

testNeeding("python", "python and python3 are the image's own", async ([python = ""]) => {
  for (const program of ["python", "python3", "/usr/local/bin/python3"]) {
    const image = await buildImage(
      { "main.py": "import sys; print(sys.executable)", Dockerfile: `FROM python\nCOPY main.py /\nCMD ["${program}", "/main.py"]` },
      { python },
    );
    const instance = await startInstance(image);
    await instance.exited;
    expect(instance.lines[0]).toContain(image.path("/usr/local/bin/python"));
  }
});
