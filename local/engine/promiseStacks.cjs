// Pulumi's SDK formats a stack trace for each of its thousands of promises, by way of the source maps: that is half of a program's time, and three
// quarters of that of a test with mocks. Only PULUMI_DEBUG_PROMISE_LEAKS ever shows them, so without it they are left empty. Errors keep theirs.
"use strict";

/** @param debuggable the module `runtime/debuggable` of the SDK's copy in use */
exports.leaveOut = (debuggable) => {
  if (debuggable.debugPromiseLeaks) return;
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
};
