import { expect } from "chai";
import type { Channel } from "../../../functions/notification/channel";
import { createChannel, readChannelSettings } from "../../../functions/notification/channel";
import { createNotifier } from "../../../functions/notification/notify";
import { BulkheadError } from "../../../functions/shared/errors/bulkheadError";
import { errorFields } from "../../../functions/shared/errors/errorFields";
import { createLog } from "../../../functions/shared/logging/logger";
import { createCount } from "../../../functions/shared/logging/metrics";
import { FakeParameters, fakeLog, snsEvent } from "./support/fakes";
import { startSmtpSink } from "./support/smtpSink";
import { startWebhookSink } from "./support/webhookSink";

/** A channel that remembers what it delivered and fails for titles that say so. */
function fakeChannel(): Channel & { titles: string[]; ids: string[]; broken: Set<string> } {
  const channel = {
    kind: "slack" as const,
    titles: [] as string[],
    ids: [] as string[],
    broken: new Set<string>(),
    async deliver(notice: { title: string }, id: string) {
      if (channel.broken.has(notice.title)) {
        throw new BulkheadError("webhook-refused", "answered with status 500", {
          cause: new Error("canary-cause"),
        });
      }
      channel.titles.push(notice.title);
      channel.ids.push(id);
    },
  };
  return channel;
}

const failure = (promise: Promise<unknown>): Promise<BulkheadError> =>
  promise.then(
    () => {
      throw new Error("it did not fail");
    },
    (error: BulkheadError) => error,
  );

describe("notification: core", () => {
  it("delivers a message, logs its id only, and counts it", async () => {
    const channel = fakeChannel();
    const { log, count, lines, counts } = fakeLog();
    const result = await createNotifier({ channel, log, count })(snsEvent({ id: "a", text: "Title\nBody" }));
    expect(result).to.deep.equal({ delivered: ["a"], repeated: [] });
    expect(channel.titles).to.deep.equal(["Title"]);
    expect(channel.ids).to.deep.equal(["a"]);
    expect(lines).to.deep.equal([["info", "Delivered", { messageId: "a", channel: "slack" }]]);
    expect(counts).to.deep.equal(['NoticesDelivered {"channel":"slack"}']);
  });

  it("tries every message, fails if one failed, and on the next run delivers only that one", async () => {
    const channel = fakeChannel();
    channel.broken.add("Second");
    const { log, count, counts, lines } = fakeLog();
    const notify = createNotifier({ channel, log, count });
    const event = snsEvent(
      { id: "1", text: "First" },
      { id: "2", text: "Second" },
      { id: "3", text: "Third" },
    );

    const error = await failure(notify(event));
    expect(error).to.include({ name: "BulkheadError", code: "not-delivered" });
    expect(error.message).to.equal("1 of 3 messages could not be delivered by slack; the log says why");
    expect(error.cause).to.equal(undefined);
    expect(channel.titles).to.deep.equal(["First", "Third"]);
    expect(lines[1]).to.deep.equal([
      "error",
      "Not delivered",
      {
        messageId: "2",
        channel: "slack",
        error: "BulkheadError",
        code: "webhook-refused",
        reason: "answered with status 500",
        cause: { error: "Error" },
      },
    ]);

    channel.broken.clear();
    expect(await notify(event)).to.deep.equal({ delivered: ["2"], repeated: ["1", "3"] });
    expect(channel.titles).to.deep.equal(["First", "Third", "Second"]);
    expect(counts.filter((entry) => entry.startsWith("NoticesDelivered"))).to.have.length(3);
  });

  it("remembers a limited number of messages", async () => {
    const channel = fakeChannel();
    const notify = createNotifier({ channel, ...fakeLog() });
    for (let n = 0; n <= 1_000; n++) await notify(snsEvent({ id: `m-${n}`, text: "t" }));
    expect((await notify(snsEvent({ id: "m-1", text: "t" }))).repeated).to.deep.equal(["m-1"]);
    expect((await notify(snsEvent({ id: "m-0", text: "t" }))).delivered).to.deep.equal(["m-0"]);
  });

  it("refuses anything that is not an invocation by SNS", async () => {
    const error = await failure(
      createNotifier({ channel: fakeChannel(), ...fakeLog() })({ Records: "canary" }),
    );
    expect(error.code).to.equal("not-an-sns-event");
    expect(error.message).not.to.contain("canary");
  });
});

describe("notification: settings", () => {
  const settings = (value: unknown) => ({ NOTIFICATION_CHANNEL: JSON.stringify(value) });

  const good: Record<string, unknown>[] = [
    { kind: "ses", from: "a@example.com", to: ["b@example.com"] },
    { kind: "smtp", from: "a@example.com", to: ["b@example.com"], host: "h", port: 25 },
    { kind: "slack", webhookParameter: "/w" },
    { kind: "teams", webhookParameter: "/w" },
  ];
  for (const value of good) {
    it(`takes ${value.kind}`, () => {
      const read = readChannelSettings(settings(value));
      expect(read).to.deep.equal(value);
      const channel = createChannel(read, {
        ses: { send: async () => ({}) } as never,
        parameters: new FakeParameters({}),
      });
      expect(channel.kind).to.equal(value.kind);
    });
  }

  const bad: [string, Record<string, string>, string][] = [
    ["nothing", {}, "missing-variable"],
    ["an empty variable", { NOTIFICATION_CHANNEL: "" }, "missing-variable"],
    ["no JSON", { NOTIFICATION_CHANNEL: "canary{" }, "channel-settings"],
    ["an unknown kind", settings({ kind: "irc" }), "channel-settings"],
    ["no recipients", settings({ kind: "ses", from: "a@b", to: [] }), "channel-settings"],
    ["half a login", settings({ ...good[1], login: { userParameter: "u" } }), "channel-settings"],
  ];
  for (const [what, environment, code] of bad) {
    it(`refuses ${what}`, () => {
      expect(() => readChannelSettings(environment))
        .to.throw(BulkheadError)
        .which.satisfies((error: BulkheadError) => error.code === code && !error.message.includes("canary"));
    });
  }
});

describe("errorFields", () => {
  it("keeps names, codes and statuses, and messages of this project only", () => {
    const aws = Object.assign(new Error("User canary is not authorized"), {
      name: "AccessDeniedException",
      $metadata: { httpStatusCode: 400, requestId: "r-1" },
    });
    const error = new BulkheadError("parameter-unreadable", "the parameter /p cannot be read", {
      cause: aws,
    });
    expect(errorFields(error)).to.deep.equal({
      error: "BulkheadError",
      code: "parameter-unreadable",
      reason: "the parameter /p cannot be read",
      cause: { error: "AccessDeniedException", httpStatus: 400, requestId: "r-1" },
    });
  });

  it("lets nothing through that is not a short word", () => {
    const error = Object.assign(new Error("canary"), { name: "canary canary", code: "canary@example.com" });
    expect(errorFields(error)).to.deep.equal({ error: "Error" });
    expect(errorFields("canary")).to.deep.equal({ error: "string" });
  });

  it("follows an error that is its own cause only so far", () => {
    const error = new Error("canary");
    error.cause = error;
    expect(JSON.stringify(errorFields(error)).match(/"error"/g)).to.have.length(5);
  });
});

describe("notification: nothing secret is written to the log", () => {
  const written: string[] = [];
  let originals: [NodeJS.WriteStream, NodeJS.WriteStream["write"]][];

  // Mocha's reporter writes between tests, not within one, so the streams are taken over within each test only.
  const capture = async (run: () => Promise<unknown>): Promise<string> => {
    written.length = 0;
    originals = [process.stdout, process.stderr].map((stream) => [stream, stream.write]);
    for (const [stream] of originals) {
      stream.write = ((chunk: string | Uint8Array) => {
        written.push(String(chunk));
        return true;
      }) as NodeJS.WriteStream["write"];
    }
    try {
      const error = await run().catch((failed: Error) => failed);
      // What Lambda itself would write of a failed run.
      if (error instanceof Error)
        written.push(JSON.stringify({ ...error, message: error.message }), error.stack ?? "");
    } finally {
      for (const [stream, write] of originals) stream.write = write;
    }
    return written.join("");
  };

  const environment = { POWERTOOLS_SERVICE_NAME: "bulkhead-alerts", BULKHEAD_CELL: "dr" };
  const canaries = [
    "canary-subject",
    "canary-message",
    "canary-user",
    "canary-password",
    "canary-hook",
    "canary-key",
  ];
  const message = { text: '{"detail":{"secret":"canary-message', subject: "canary-subject" };
  const addresses = { from: "a@example.com", to: ["b@example.com"] };
  // As Lambda does it: log and metrics are created within the process that is watched.
  const notify = (settings: Parameters<typeof createChannel>[0], parameters: Record<string, string>) => {
    const channel = createChannel(settings, {
      ses: {
        send: async () => {
          throw new Error("canary-message");
        },
      } as never,
      parameters: new FakeParameters(parameters),
    });
    return createNotifier({ channel, log: createLog(environment), count: createCount(environment) })(
      snsEvent(message),
    );
  };
  const expectClean = (output: string, logged: string, metric: string) => {
    for (const canary of canaries) expect(output).not.to.contain(canary);
    expect(output).to.contain(logged).and.to.contain('"cell":"dr"').and.to.contain('"Namespace":"Bulkhead"');
    expect(output).to.contain(metric);
  };

  it("by a webhook that takes the message", async () => {
    const sink = await startWebhookSink();
    try {
      const url = sink.url.replace("secret", "canary-hook");
      const output = await capture(() => notify({ kind: "teams", webhookParameter: "/w" }, { "/w": url }));
      expectClean(output, '"message":"Delivered"', "NoticesDelivered");
      expect(sink.requests[0]!.body).to.contain("canary-message");
    } finally {
      await sink.stop();
    }
  });

  it("by a webhook that refuses, redirects, or is none", async () => {
    const sink = await startWebhookSink();
    try {
      const url = sink.url.replace("secret", "canary-hook");
      const run = (address: string) => () =>
        notify({ kind: "slack", webhookParameter: "/w" }, { "/w": address });
      sink.answer = { status: 500, body: "canary-hook" };
      expectClean(await capture(run(url)), "webhook-refused", "NoticesFailed");
      sink.answer = { status: 302, headers: { location: `${url}/canary-hook` } };
      expectClean(await capture(run(url)), "webhook-unreachable", "NoticesFailed");
      expectClean(await capture(run("canary-hook")), "webhook-address", "NoticesFailed");
    } finally {
      await sink.stop();
    }
  });

  it("by a mail server that refuses the login, naming it", async () => {
    const sink = await startSmtpSink({ login: { user: "right", password: "right" } });
    try {
      const settings = {
        kind: "smtp" as const,
        ...addresses,
        host: "127.0.0.1",
        port: sink.port,
        login: { userParameter: "/u", passwordParameter: "/p" },
      };
      const output = await capture(() => notify(settings, { "/u": "canary-user", "/p": "canary-password" }));
      expectClean(output, "mail-refused", "NoticesFailed");
      expect(output).to.contain("EAUTH");
    } finally {
      await sink.stop();
    }
  });

  it("by SES that refuses", async () => {
    expectClean(
      await capture(() => notify({ kind: "ses", ...addresses }, {})),
      "mail-refused",
      "NoticesFailed",
    );
  });
});
