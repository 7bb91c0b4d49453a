// Requests at a fixed rate on connections that stay, each counted from the moment that it was due: a service that falls behind is not given less to do.
// Arguments: port, requests a second, seconds, connections. Prints the p99 in milliseconds.
import { connect } from "node:net";

const [port, rate, seconds, connections] = process.argv.slice(2).map(Number);
const request = Buffer.from(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
const [free, waiting, taken] = [[], [], []];
const total = rate * seconds;
let made = 0;

const open = () =>
  new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => resolve(free.push(lane))).setNoDelay(true);
    const lane = { socket, due: 0, text: "" };
    socket.on("error", reject).on("close", () => reject(new Error("A connection was closed.")));
    socket.on("data", (piece) => {
      lane.text += piece.toString("latin1");
      // JSON, or the last of its chunks.
      if (!lane.text.endsWith("}") && !lane.text.endsWith("}\r\n0\r\n\r\n")) return;
      if (!lane.text.startsWith("HTTP/1.1 200")) throw new Error(`It answered ${lane.text.slice(0, 60)}`);
      lane.text = "";
      taken.push(performance.now() - lane.due);
      const due = waiting.shift();
      if (due === undefined) free.push(lane);
      else ask(lane, due);
      if (taken.length === total) finish();
    });
  });

function ask(lane, due) {
  lane.due = due;
  lane.socket.write(request);
}

await Promise.all(Array.from({ length: connections }, open));
const begun = performance.now();
const clock = setInterval(() => {
  const now = performance.now();
  // This clock ticks once a millisecond, late at times: which is no fault of the service's.
  for (; made < total && begun + (made * 1000) / rate <= now; made += 1) {
    const lane = free.pop();
    if (lane) ask(lane, now);
    else waiting.push(now);
  }
}, 1);

function finish() {
  clearInterval(clock);
  taken.sort((a, b) => a - b);
  process.stdout.write(`${taken[Math.floor(taken.length * 0.99)]}\n`);
  for (const { socket } of free) socket.removeAllListeners("close").destroy();
}
