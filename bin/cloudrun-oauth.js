#!/usr/bin/env node
"use strict";

const { keepCompiledCode, main } = require("../dist/main.cjs");
keepCompiledCode(process, require);

let isOver = false;
main(process.argv.slice(2)).then((exitCode) => {
  isOver = true;
  process.exitCode = exitCode;
});
// As Node has it for a module that never ends.
process.once("exit", (exitCode) => {
  if (!isOver && exitCode === 0) process.exitCode = 13;
});
