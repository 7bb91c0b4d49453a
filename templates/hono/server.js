import { serve } from "@hono/node-server";
import { createApp } from "./app.js";
import { stopOnSigterm } from "./stop.js";

const hostname = process.env.HOST || "0.0.0.0";
const port = Number(process.env.PORT || 8080);

const server = serve({ fetch: createApp().fetch, hostname, port }, () => {
  console.log(JSON.stringify({ severity: "INFO", message: `Listening on ${hostname}:${port}` }));
});
stopOnSigterm(server);
