import { folder } from "./command-line.ts";
import { tinyService, type Files } from "./emulator.ts";

/** Answers every path with JSON; `/bad` with 500. */
export const SERVER = `
require("node:http")
  .createServer((request, response) => {
    response.statusCode = request.url === "/bad" ? 500 : 200;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ message: "Hello World from authenticated Cloud Run!" }));
  })
  .listen(process.env.PORT, "127.0.0.1");
`;

/** A service's files, with a line of its own where two have to differ. */
export function upFiles(service: string, line = ""): Files {
  return { ...tinyService(`${SERVER}// ${line}\n`), "cloudrun-oauth.json": JSON.stringify({ service }) };
}

/** A folder with a service in it. */
export function upFolder(service: string, line = ""): string {
  return folder(upFiles(service, line));
}

/** The names of the steps that a document of `up` tells of. */
export function stepsOf(document: Readonly<Record<string, unknown>>): string[] {
  return (document["steps"] as readonly { readonly name: string }[]).map(({ name }) => name);
}
