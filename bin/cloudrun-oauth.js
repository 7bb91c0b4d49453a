#!/usr/bin/env node
"use strict";

// An older Node can't read the rest of the program.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19) || major === 21 || (major === 22 && minor < 12)) {
  process.stderr.write(`Error: cloudrun-oauth requires Node.js 20.19+ or 22.12+, not ${process.versions.node}. [NODE_OUTDATED]\n`);
  process.exit(6);
}

const { main } = require("../dist/main.cjs");

let isOver = false;
main(process.argv.slice(2)).then((exitCode) => {
  isOver = true;
  process.exitCode = exitCode;
});
// Node's exit code for a program that ends while it still awaits something.
process.once("exit", (exitCode) => {
  if (!isOver && exitCode === 0) process.exitCode = 13;
});
