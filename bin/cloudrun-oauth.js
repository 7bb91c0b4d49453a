#!/usr/bin/env node
"use strict";

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
