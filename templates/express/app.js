import { STATUS_CODES } from "node:http";
import express from "express";
import { callerEmail } from "./caller.js";
import { errorLine, requestLine } from "./log.js";

export const routes = express.Router();

routes.get("/", (_request, response) => {
  response.json({ message: "Hello World from authenticated Cloud Run!" });
});

routes.get("/whoami", (request, response) => {
  response.json({ email: callerEmail(request.headers) });
});

/** The service: the routes, and around them the log and the errors. `write` is given one line of log at a time. */
export function createApp(write = console.log) {
  const app = express();
  app.disable("x-powered-by");

  app.use((request, response, next) => {
    const start = performance.now();
    const { method, path, headers } = request;
    response.once("close", () => {
      const milliseconds = performance.now() - start;
      write(requestLine({ method, path, headers, status: response.statusCode, milliseconds }));
    });
    next();
  });

  app.use(routes);

  app.use((_request, response) => {
    response.status(404).json({ error: STATUS_CODES[404] });
  });

  // Express knows an error handler by its four parameters.
  app.use((error, _request, response, _next) => {
    const status = STATUS_CODES[error?.status] ? error.status : 500;
    if (status >= 500) write(errorLine(error));
    // An answer that has begun can only be cut off.
    if (response.headersSent) response.destroy();
    else response.status(status).json({ error: STATUS_CODES[status] });
  });

  return app;
}
