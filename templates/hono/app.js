import { STATUS_CODES } from "node:http";
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { callerEmail } from "./caller.js";
import { errorLine, requestLine } from "./log.js";

/** The service's routes. `write` is given one line of log at a time. */
export function createApp(write = console.log) {
  const app = new Hono();

  app.use(async (c, next) => {
    const start = performance.now();
    await next();
    const { method, path } = c.req;
    const milliseconds = performance.now() - start;
    write(requestLine({ method, path, headers: c.req.header(), status: c.res.status, milliseconds }));
  });

  app.get("/", (c) => c.json({ message: "Hello World from authenticated Cloud Run!" }));

  app.get("/whoami", (c) => c.json({ email: callerEmail(c.req.header()) }));

  app.notFound((c) => c.json({ error: STATUS_CODES[404] }, 404));

  app.onError((error, c) => {
    const status = error instanceof HTTPException ? error.status : 500;
    if (status >= 500) write(errorLine(error));
    return c.json({ error: STATUS_CODES[status] }, status);
  });

  return app;
}
