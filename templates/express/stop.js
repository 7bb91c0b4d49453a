/**
 * On SIGTERM, by which Cloud Run ends an instance, answers what is in flight and then ends the
 * process with exit code 0. Cloud Run waits ten seconds before it kills.
 */
export function stopOnSigterm(server) {
  let inFlight = 0;
  let stopping = false;

  // Connections that carry no request are not waited for: a client may keep one open for minutes.
  const closeWhenIdle = () => {
    if (stopping && inFlight === 0) server.closeAllConnections();
  };

  server.on("request", (_request, response) => {
    inFlight += 1;
    response.once("close", () => {
      inFlight -= 1;
      closeWhenIdle();
    });
  });

  const stop = () => {
    stopping = true;
    server.close(() => process.exit(0));
    closeWhenIdle();
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
}
