// Preloaded into programs; see promiseStacks.cjs.
"use strict";
const { createRequire } = require("node:module");
const { leaveOut } = require("./promiseStacks.cjs");

// The copy of the SDK that the runner, this process's script, belongs to.
leaveOut(createRequire(process.argv[1])("../../runtime/debuggable"));
