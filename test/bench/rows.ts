import type { Trial } from "./measure.ts";
import { deploy, describe } from "./rows/control-plane.ts";
import { invokeCached, invokeGcloud, invokeNode, invokeNodeTls, invokePython } from "./rows/invoke.ts";
import { frontDoor, load } from "./rows/load.ts";
import { packageCount, packageSize } from "./rows/package.ts";
import { proxyDownload, proxyGo, proxyLatency, proxyMemory, proxyNginx, proxyUpload } from "./rows/proxy.ts";
import { quickstart } from "./rows/quickstart.ts";
import { emulatorReady, version } from "./rows/start-up.ts";
import type { World } from "./world.ts";

type Row = (world: World) => Promise<Trial>;

/** How each goal is measured, by its name. */
export const ROWS: Readonly<Record<string, Row>> = {
  version,
  "invoke-node": invokeNode,
  "invoke-node-tls": invokeNodeTls,
  "invoke-python": invokePython,
  "invoke-gcloud": invokeGcloud,
  "invoke-cached": invokeCached,
  describe,
  deploy,
  "proxy-nginx": proxyNginx,
  "proxy-go": proxyGo,
  "proxy-latency": proxyLatency,
  "proxy-download": proxyDownload,
  "proxy-upload": proxyUpload,
  "proxy-memory": proxyMemory,
  "front-door": frontDoor,
  load,
  "emulator-ready": emulatorReady,
  quickstart,
  "package-size": packageSize,
  "package-count": packageCount,
};
