import type { SESv2Client } from "@aws-sdk/client-sesv2";
import type { SSMClient } from "@aws-sdk/client-ssm";
import { expect } from "chai";
import { Webhook } from "../../../functions/shared/chat/webhook";
import { clientSettings } from "../../../functions/shared/clients/clientSettings";
import type { BulkheadError } from "../../../functions/shared/errors/bulkheadError";
import type { Mail } from "../../../functions/shared/mail/mail";
import { SesMailer } from "../../../functions/shared/mail/sesMailer";
import { SmtpMailer } from "../../../functions/shared/mail/smtpMailer";
import { SsmParameterReader } from "../../../functions/shared/parameters/parameterReader";
import { testCertificate } from "./support/certificate";
import { FakeParameters } from "./support/fakes";
import { type SmtpSink, type SmtpSinkOptions, startSmtpSink } from "./support/smtpSink";
import { startWebhookSink, type WebhookSink } from "./support/webhookSink";

const failure = (promise: Promise<unknown>): Promise<BulkheadError> =>
  promise.then(
    () => {
      throw new Error("it did not fail");
    },
    (error: BulkheadError) => error,
  );

describe("Webhook", () => {
  let sink: WebhookSink;
  let parameters: FakeParameters;
  beforeEach(async () => {
    sink = await startWebhookSink();
    parameters = new FakeParameters({
      "/w": `${sink.url}\n`,
      "/other": "http://example.com/hook",
      "/none": "hook",
    });
  });
  afterEach(() => sink.stop());

  it("posts JSON in UTF-8 to the address in the parameter", async () => {
    await new Webhook("/w", parameters).post({ text: "größer 😀" });
    expect(sink.requests).to.deep.equal([
      {
        path: "/services/T0/B0/secret",
        contentType: "application/json; charset=utf-8",
        body: '{"text":"größer 😀"}',
      },
    ]);
  });

  it("takes 202, with which Teams answers, for success", async () => {
    sink.answer = { status: 202 };
    await new Webhook("/w", parameters).post({});
    expect(sink.requests).to.have.length(1);
  });

  for (const [status, forgotten] of [
    [400, []],
    [429, []],
    [500, []],
    [403, ["/w"]],
    [404, ["/w"]],
    [410, ["/w"]],
  ] as const) {
    it(`fails on ${status}${forgotten.length > 0 ? " and reads the address anew next time" : ""}`, async () => {
      sink.answer = { status, body: "invalid_token" };
      const error = await failure(new Webhook("/w", parameters).post({}));
      expect(error.code).to.equal("webhook-refused");
      expect(error.message).to.equal(`the webhook of parameter /w answered with status ${status}`);
      expect(parameters.forgotten).to.deep.equal(forgotten);
    });
  }

  it("follows no redirect", async () => {
    sink.answer = { status: 307, headers: { location: `${sink.url}/elsewhere` } };
    expect(await failure(new Webhook("/w", parameters).post({}))).to.include({ code: "webhook-unreachable" });
    expect(sink.requests).to.have.length(1);
  });

  it("gives up when no answer comes in time", async () => {
    sink.answer = { status: 0 };
    const error = await failure(new Webhook("/w", parameters, 200).post({}));
    expect(error.code).to.equal("webhook-unreachable");
    expect((error.cause as Error).name).to.equal("TimeoutError");
  });

  it("fails when nobody listens", async () => {
    await sink.stop();
    expect(await failure(new Webhook("/w", parameters).post({}))).to.include({ code: "webhook-unreachable" });
  });

  for (const name of ["/other", "/none"]) {
    it(`refuses what is not https, without showing it (${name})`, async () => {
      const error = await failure(new Webhook(name, parameters).post({}));
      expect(error).to.include({
        code: "webhook-address",
        message: `parameter ${name} is not an https address`,
      });
    });
  }
});

describe("SmtpMailer", () => {
  const MAIL: Mail = { id: "m-1", subject: "[Critical] größer", text: "Text\n.dot\n", html: "<p>Text</p>" };
  const ADDRESSES = { from: "alerts@example.com", to: ["a@example.com", "b@example.com"] };
  const LOGIN = { user: "mailer", password: "pass word" };
  const parameters = new FakeParameters({ "/u": LOGIN.user, "/p": LOGIN.password, "/wrong": "wrong" });
  const login = { userParameter: "/u", passwordParameter: "/p" };
  // Is this machine, but not written as the mailer knows it: so TLS is required, as of any other host.
  const OTHER_HOST = "LOCALHOST";
  let sink: SmtpSink;
  const start = async (options?: SmtpSinkOptions) => {
    sink = await startSmtpSink(options);
  };
  afterEach(() => sink.stop());

  it("hands one mail over for all recipients, with an id that stays the same", async () => {
    await start();
    const mailer = new SmtpMailer({ host: "127.0.0.1", port: sink.port }, ADDRESSES, parameters);
    await mailer.send(MAIL);
    await mailer.send(MAIL);
    expect(sink.mails).to.have.length(2);
    for (const mail of sink.mails) {
      expect(mail).to.deep.include({ from: "alerts@example.com", to: ADDRESSES.to, login: undefined });
      expect(mail.data).to.contain("Message-ID: <m-1@example.com>").and.to.contain("X-Entity-Ref-ID: m-1");
      expect(mail.data).to.contain("Auto-Submitted: auto-generated");
      expect(mail.data).to.match(/^Subject: .*=\?UTF-8\?/m);
      expect(mail.data).to.contain("text/plain").and.to.contain("text/html");
    }
  });

  it("logs in with what the parameters say, over TLS", async () => {
    const certificate = testCertificate(OTHER_HOST);
    await start({ certificate, login: LOGIN });
    const mailer = new SmtpMailer(
      { host: OTHER_HOST, port: sink.port, login },
      ADDRESSES,
      parameters,
      certificate.cert,
    );
    await mailer.send(MAIL);
    expect(sink.mails).to.have.length(1);
    expect(sink.mails[0]).to.deep.include({ login: LOGIN, encrypted: true });
  });

  it("gives login and mail to no server without TLS, this machine apart", async () => {
    await start({ login: LOGIN });
    const mailer = new SmtpMailer({ host: OTHER_HOST, port: sink.port, login }, ADDRESSES, parameters);
    expect(await failure(mailer.send(MAIL))).to.include({ code: "mail-refused" });
    expect(sink.conversation.filter((line) => /^(AUTH|MAIL)/.test(line))).to.deep.equal([]);
    expect(sink.conversation).to.include("STARTTLS");
  });

  it("trusts no certificate that nobody vouches for", async () => {
    await start({ certificate: testCertificate(OTHER_HOST), login: LOGIN });
    const mailer = new SmtpMailer({ host: OTHER_HOST, port: sink.port, login }, ADDRESSES, parameters);
    const error = await failure(mailer.send(MAIL));
    expect(error.code).to.equal("mail-refused");
    expect(sink.conversation.filter((line) => /^(AUTH|MAIL)/.test(line))).to.deep.equal([]);
  });

  it("trusts no certificate of another host", async () => {
    const certificate = testCertificate("mail.example.com");
    await start({ certificate, login: LOGIN });
    const server = { host: OTHER_HOST, port: sink.port, login };
    const mailer = new SmtpMailer(server, ADDRESSES, parameters, certificate.cert);
    expect(await failure(mailer.send(MAIL))).to.include({ code: "mail-refused" });
    expect(sink.mails).to.deep.equal([]);
  });

  it("reads the login anew after it was refused", async () => {
    await start({ login: LOGIN });
    const server = {
      host: "127.0.0.1",
      port: sink.port,
      login: { userParameter: "/u", passwordParameter: "/wrong" },
    };
    const error = await failure(new SmtpMailer(server, ADDRESSES, parameters).send(MAIL));
    expect(error).to.include({
      code: "mail-refused",
      message: `the mail server 127.0.0.1:${sink.port} did not take the mail`,
    });
    expect(parameters.forgotten).to.include.members(["/u", "/wrong"]);
  });

  it("fails when the recipients are refused", async () => {
    await start({ recipientAnswer: "550 nobody here" });
    const mailer = new SmtpMailer({ host: "127.0.0.1", port: sink.port }, ADDRESSES, parameters);
    expect(await failure(mailer.send(MAIL))).to.include({ code: "mail-refused" });
  });
});

describe("SesMailer", () => {
  const ADDRESSES = { from: "alerts@example.com", to: ["a@example.com"] };
  const MAIL: Mail = { id: "m-1", subject: "s", text: "t", html: "<p>t</p>" };

  it("sends text and HTML in UTF-8", async () => {
    const inputs: unknown[] = [];
    const client = { send: async (command: { input: unknown }) => inputs.push(command.input) };
    await new SesMailer(client as unknown as SESv2Client, ADDRESSES).send(MAIL);
    const utf8 = (Data: string) => ({ Data, Charset: "UTF-8" });
    expect(inputs).to.deep.equal([
      {
        FromEmailAddress: "alerts@example.com",
        Destination: { ToAddresses: ["a@example.com"] },
        Content: {
          Simple: {
            Subject: utf8("s"),
            Body: { Text: utf8("t"), Html: utf8("<p>t</p>") },
            Headers: [{ Name: "X-Entity-Ref-ID", Value: "m-1" }],
          },
        },
      },
    ]);
  });

  it("says what to check when SES refuses", async () => {
    const cause = new Error("Email address is not verified: a@example.com");
    const client = { send: () => Promise.reject(cause) };
    const error = await failure(new SesMailer(client as unknown as SESv2Client, ADDRESSES).send(MAIL));
    expect(error).to.include({ code: "mail-refused", cause });
    expect(error.message).to.contain("verified identity").and.not.to.contain("a@example.com");
  });
});

describe("SsmParameterReader", () => {
  function reader() {
    const state = { now: 0, value: "first" as string | undefined, failing: false, inputs: [] as unknown[] };
    const client = {
      send: async ({ input }: { input: unknown }) => {
        state.inputs.push(input);
        if (state.failing) throw new Error("down");
        return { Parameter: { Value: state.value } };
      },
    };
    const parameters = new SsmParameterReader(client as unknown as SSMClient, () => state.now);
    return { state, read: () => parameters.read("/p"), forget: () => parameters.forget("/p") };
  }

  it("decrypts, and asks again after 15 minutes only", async () => {
    const { state, read } = reader();
    expect(await read()).to.equal("first");
    state.value = "second";
    state.now = 15 * 60_000 - 1;
    expect(await read()).to.equal("first");
    state.now += 1;
    expect(await read()).to.equal("second");
    expect(state.inputs).to.deep.equal([
      { Name: "/p", WithDecryption: true },
      { Name: "/p", WithDecryption: true },
    ]);
  });

  it("asks again at once for what was forgotten", async () => {
    const { state, read, forget } = reader();
    await read();
    state.value = "second";
    forget();
    expect(await read()).to.equal("second");
  });

  it("uses the older value while Systems Manager does not answer", async () => {
    const { state, read } = reader();
    await read();
    state.failing = true;
    state.now = 60 * 60_000;
    expect(await read()).to.equal("first");
  });

  it("fails when there is no value at all", async () => {
    const { state, read } = reader();
    state.failing = true;
    expect(await failure(read())).to.include({ code: "parameter-unreadable" });
    state.failing = false;
    state.value = undefined;
    const error = await failure(read());
    expect(error.code).to.equal("parameter-unreadable");
    expect((error.cause as BulkheadError).code).to.equal("parameter-empty");
  });
});

describe("clientSettings", () => {
  it("says the region, with short time limits", () => {
    expect(clientSettings(undefined, { AWS_REGION: "us-west-2" })).to.deep.equal({
      region: "us-west-2",
      maxAttempts: 3,
      retryMode: "standard",
      requestHandler: { connectionTimeout: 2_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
    });
    expect(clientSettings("eu-west-1", {}).region).to.equal("eu-west-1");
  });
  it("refuses to work without a region (fact 1)", () => {
    expect(() => clientSettings(undefined, {})).to.throw("AWS_REGION is not set");
  });
});
