import { STATUS_CODES } from "node:http";
import express from "express";
import { callerEmail } from "./caller.js";

export const routes = express.Router();

routes.get("/", (_request, response) => {
  response.json({ message: "Hello World from authenticated Cloud Run!" });
});

routes.get("/whoami", (request, response) => {
  response.json({ email: callerEmail(request.headers) });
});

/** Creates the service: its routes and its error handling. `log` receives one line at a time. */
export function createApp(log = console.log) {
  const app = express();
  app.disable("x-powered-by");

  app.use(routes);

  app.use((_request, response) => {
    response.status(404).json({ error: STATUS_CODES[404] });
  });

  // Express recognizes an error handler by its four parameters.
  app.use((error, _request, response, _next) => {
    const status = STATUS_CODES[error?.status] ? error.status : 500;
    // Cloud Logging parses JSON lines. Error Reporting looks for the stack in the message.
    if (status >= 500) log(JSON.stringify({ severity: "ERROR", message: error?.stack ?? String(error) }));
    // A response that has already started can only be aborted.
    if (response.headersSent) response.destroy();
    else response.status(status).json({ error: STATUS_CODES[status] });
  });

  return app;
}
