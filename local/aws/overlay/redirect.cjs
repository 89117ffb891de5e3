/**
 * Loaded into every function's process: requests to the endpoints of AWS go to AWS_ENDPOINT_URL instead, with the host that was
 * meant in `x-bulkhead-endpoint`. So a function whose clients are pinned to a regional endpoint by name runs unchanged.
 * It also sets the clock ahead where the local AWS is told so, and ends the process when the emulator is gone, which may have been killed.
 */
"use strict";
const http = require("node:http");
const https = require("node:https");
const { syncBuiltinESMExports } = require("node:module");

const AWS_HOST = /(^|\.)(amazonaws\.com(\.cn)?|api\.aws|api\.amazonwebservices\.com\.cn)$/;
const PARENT_CHECK_MS = 1000;

const request = https.request;

/** Takes the arguments of https.request: (options | url)[, options][, callback]. */
function redirected(...args) {
  const callback = typeof args[args.length - 1] === "function" ? args.pop() : undefined;
  let options = {};
  for (const arg of args) {
    if (typeof arg === "string" || arg instanceof URL) options = fromUrl(new URL(arg));
    else if (arg) options = { ...options, ...arg };
  }
  const host = String(options.hostname ?? options.host ?? "").split(":")[0];
  const endpoint = process.env.AWS_ENDPOINT_URL;
  if (!endpoint || !AWS_HOST.test(host)) {
    return request.call(https, options, ...(callback ? [callback] : []));
  }
  const to = new URL(endpoint);
  // The signature covers the Host header, which therefore stays the meant one.
  const headers = { host, ...lowerCased(options.headers), "x-bulkhead-endpoint": host };
  const { agent: _agent, servername: _servername, _defaultAgent, ...rest } = options;
  return http.request(
    { ...rest, protocol: "http:", hostname: to.hostname, host: to.hostname, port: to.port, headers },
    callback,
  );
}

function lowerCased(headers) {
  return Object.fromEntries(
    Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
  );
}

function fromUrl(url) {
  return { protocol: url.protocol, hostname: url.hostname, port: url.port, path: url.pathname + url.search };
}

function get(...args) {
  const sent = redirected(...args);
  sent.end();
  return sent;
}

// MiniStack's own wrapper, which forgets the meant host, comes later: its assignment is to have no effect.
for (const [name, value] of Object.entries({ request: redirected, get })) {
  Object.defineProperty(https, name, {
    configurable: true,
    enumerable: true,
    get: () => value,
    set: () => {},
  });
}
syncBuiltinESMExports();

// A clock that is ahead, for what is due later (see functions.py). The SDK corrects its signatures' time by the answers' own.
const ahead = Number(process.env.BULKHEAD_CLOCK_AHEAD_MS ?? 0);
if (ahead > 0) {
  const { now } = Date;
  globalThis.Date = class extends Date {
    constructor(...args) {
      super(...(args.length ? args : [now() + ahead]));
    }
    static now() {
      return now() + ahead;
    }
  };
}

const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) process.exit(0);
}, PARENT_CHECK_MS).unref();
