// Preloaded into policy packs, which only a signal ends: Node keeps their compiled code (NODE_COMPILE_CACHE) when they end by themselves.
"use strict";
process.once("SIGTERM", () => process.exit(143));
