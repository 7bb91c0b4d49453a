#!/usr/bin/env node
(await import("node:module")).enableCompileCache?.();
const { main } = await import("../dist/main.js");
process.exitCode = await main(process.argv.slice(2));
