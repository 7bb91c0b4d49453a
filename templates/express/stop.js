/**
 * On SIGTERM, finishes requests in progress and exits with code 0.
 * Cloud Run sends SIGTERM to stop an instance, and SIGKILL ten seconds later.
 */
export function stopOnSigterm(server) {
  let inFlight = 0;
  let stopping = false;

  // Closes idle connections too: clients can keep them open for minutes.
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
