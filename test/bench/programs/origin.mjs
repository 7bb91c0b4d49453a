// A service that costs next to nothing: it takes HTTP/1.1 apart no further than it has to. / is small JSON, /big an answer as long as BIG says, and a
// request with a body is read to its end.
import { createServer } from "node:net";

const BIG = Number(process.env.BIG ?? 0);
const body = JSON.stringify({ message: "Hello World from authenticated Cloud Run!" });
const small = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
const head = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: ${BIG}\r\n\r\n`);
const piece = Buffer.alloc(256 * 1024);

const server = createServer((socket) => {
  let left = 0; // bytes of a request's body that are yet to come
  let chunked = false;
  let text = "";
  socket.setNoDelay(true);
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    if (chunked) {
      if (!chunk.subarray(-5).equals(Buffer.from("0\r\n\r\n"))) return;
      chunked = false;
      socket.write(small);
      return;
    }
    if (left > 0) {
      left -= chunk.length;
      if (left <= 0) socket.write(small);
      return;
    }
    text += chunk.toString("latin1");
    for (let end = text.indexOf("\r\n\r\n"); end >= 0; end = text.indexOf("\r\n\r\n")) {
      const section = text.slice(0, end);
      text = text.slice(end + 4);
      if (section.startsWith("GET /big")) sendBig(socket);
      else if (section.startsWith("GET")) socket.write(small);
      else {
        chunked = /\r\ntransfer-encoding: *chunked/i.test(section);
        left = Number(/\r\ncontent-length: *(\d+)/i.exec(section)?.[1] ?? 0) - text.length;
        const isWhole = chunked ? text.endsWith("0\r\n\r\n") : left <= 0;
        text = "";
        if (isWhole) {
          chunked = false;
          socket.write(small);
        }
      }
    }
  });
});
server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () => process.stdout.write(`listening on ${server.address().port}\n`));

function sendBig(socket) {
  socket.write(head);
  let left = BIG;
  const go = () => {
    while (left > 0 && !socket.destroyed) {
      const next = left < piece.length ? piece.subarray(0, left) : piece;
      left -= next.length;
      if (!socket.write(next)) return void socket.once("drain", go);
    }
  };
  go();
}
