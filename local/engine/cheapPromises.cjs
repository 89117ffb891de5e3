// Preloaded into programs. Pulumi's SDK formats a stack trace for each of its thousands of promises, by way of the source maps: that was half
// of a program's time. Only PULUMI_DEBUG_PROMISE_LEAKS ever shows them, so without it they are left empty. Errors keep theirs.
"use strict";
const { createRequire } = require("node:module");

// The copy of the SDK that the runner, this process's script, belongs to.
const debuggable = createRequire(process.argv[1])("../../runtime/debuggable");

if (!debuggable.debugPromiseLeaks) {
  const { debuggablePromise } = debuggable;
  debuggable.debuggablePromise = (promise, context) => {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    try {
      return debuggablePromise(promise, context);
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  };
}
