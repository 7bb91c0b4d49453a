#!/usr/bin/env node
"use strict";

// Node 20 has none, and takes a while to say so.
if (Number.parseInt(process.versions.node, 10) >= 22) require("node:module").enableCompileCache?.();
const { main } = require("../dist/main.cjs");

// As Node has it for a module that never ends.
process.exitCode = 13;
main(process.argv.slice(2)).then((exitCode) => {
  process.exitCode = exitCode;
});
