import { chmodSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openBrowser } from "../../../src/commands/login/open-browser.ts";
import { folder } from "../../helpers/command-line.ts";

const URL = "https://accounts.google.com/o/oauth2/v2/auth?state=a&scope=b%20c";

test.runIf(process.platform === "linux")("the URL is passed to xdg-open as one argument, if there is a display", async () => {
  const directory = folder({ "xdg-open": '#!/bin/sh\nprintf "%s" "$*" > "${0%/*}/opened"\n' });
  chmodSync(join(directory, "xdg-open"), 0o755);
  const opened = join(directory, "opened");
  openBrowser(`${URL}&ssh`, { PATH: directory });
  openBrowser(URL, { PATH: directory, DISPLAY: ":0" });
  await expect.poll(() => existsSync(opened) && readFileSync(opened, "utf8")).toBe(URL);
});

test("a missing browser is ignored", async () => {
  openBrowser(URL, { PATH: folder(), DISPLAY: ":0" });
  // An error without a listener would end this process.
  await expect(new Promise((resolve) => setTimeout(resolve, 100, "alive"))).resolves.toBe("alive");
});
