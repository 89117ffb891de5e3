// Preloaded into every child process of the engine: ends it when the engine is gone, however that ended. Descriptor 3
// is a pipe that the engine holds open; it closes with the engine's process.
"use strict";
const net = require("node:net");

try {
  const pipe = new net.Socket({ fd: 3, readable: true, writable: false });
  pipe.on("close", () => process.exit(1));
  pipe.on("error", () => process.exit(1));
  pipe.resume();
  pipe.unref();
} catch {
  // Not started by the engine (a child of a child inherits NODE_OPTIONS but not the pipe): nothing to watch.
}
