import { STATUS_CODES } from "node:http";
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { callerEmail } from "./caller.js";

/** Creates the service: its routes and its error handling. `log` receives one line at a time. */
export function createApp(log = console.log) {
  const app = new Hono();

  app.get("/", (c) => c.json({ message: "Hello World from authenticated Cloud Run!" }));

  app.get("/whoami", (c) => c.json({ email: callerEmail(c.req.header()) }));

  app.notFound((c) => c.json({ error: STATUS_CODES[404] }, 404));

  app.onError((error, c) => {
    const status = error instanceof HTTPException ? error.status : 500;
    // Cloud Logging parses JSON lines. Error Reporting looks for the stack in the message.
    if (status >= 500) log(JSON.stringify({ severity: "ERROR", message: error?.stack ?? String(error) }));
    return c.json({ error: STATUS_CODES[status] }, status);
  });

  return app;
}
