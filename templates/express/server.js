import { createServer } from "node:http";
import { createApp } from "./app.js";
import { stopOnSigterm } from "./stop.js";

const hostname = process.env.HOST || "0.0.0.0";
const port = Number(process.env.PORT || 8080);

const server = createServer(createApp());
server.listen(port, hostname, () => {
  console.log(JSON.stringify({ severity: "INFO", message: `Listening on ${hostname}:${port}` }));
});
stopOnSigterm(server);
