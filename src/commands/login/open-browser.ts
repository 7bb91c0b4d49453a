import { spawn } from "node:child_process";
import { platform } from "node:process";
import type { Environment } from "../../context/context.ts";

/** Opens a URL in the default browser, if that is possible: the user can open it too. */
export function openBrowser(url: string, env: Environment): void {
  const [program, ...leading] = OPENERS[platform] ?? ["xdg-open"];
  if (program === undefined || (program === "xdg-open" && !env["DISPLAY"] && !env["WAYLAND_DISPLAY"])) return;
  // Without a shell, which would interpret the URL's ampersands.
  const child = spawn(program, [...leading, url], { detached: true, env, stdio: "ignore" });
  child.on("error", () => {});
  child.unref();
}

const OPENERS: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  darwin: ["open"],
  win32: ["rundll32", "url.dll,FileProtocolHandler"],
};
