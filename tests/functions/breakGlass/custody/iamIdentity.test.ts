import { once } from "node:events";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { IAMClient } from "@aws-sdk/client-iam";
import { expect } from "chai";
import type { CustodyError } from "../../../../functions/breakGlass/custody/custodyError";
import { IamIdentity } from "../../../../functions/breakGlass/custody/iamIdentity";
import { Secret } from "../../../../functions/breakGlass/custody/secret";
import { errorFields } from "../../../../functions/shared/errors/errorFields";
import { secretsIn } from "./canary";
import { failure, USER } from "./support";

const PASSWORD = "Canary-password-with-40-characters-!@#$%";

/** What the fake IAM answers, call by call; the last answer stays. */
type Answer = { status: number; code?: string; body?: string; date?: string } | "cut";

describe("break-glass custody: IAM over the SDK", () => {
  let server: http.Server;
  let answers: Answer[];
  let calls: URLSearchParams[];
  let clients: IAMClient[];

  before(async () => {
    server = http.createServer((request, response) => {
      let sent = "";
      request.on("data", (chunk) => {
        sent += chunk;
      });
      request.on("end", () => {
        const form = new URLSearchParams(sent);
        calls.push(form);
        const answer = (answers.length > 1 ? answers.shift() : answers[0])!;
        if (answer === "cut") return void request.socket.destroy();
        const action = form.get("Action")!;
        const error = `<ErrorResponse><Error><Type>Sender</Type><Code>${answer.code}</Code><Message>Refused: ${sent}</Message></Error></ErrorResponse>`;
        const result = `<${action}Response><${action}Result>${answer.body ?? ""}</${action}Result></${action}Response>`;
        response.writeHead(answer.status, {
          "content-type": "text/xml",
          ...(answer.date && { date: answer.date }),
        });
        response.end(answer.code ? error : result);
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  after(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  beforeEach(() => {
    calls = [];
    clients = [];
    answers = [{ status: 200 }];
  });
  afterEach(() => {
    for (const client of clients) client.destroy();
  });

  function identity(now?: () => number): IamIdentity {
    const client = (maxAttempts: number) => {
      const made = new IAMClient({
        endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        region: "us-east-1",
        credentials: { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "secret" },
        maxAttempts,
      });
      clients.push(made);
      return made;
    };
    return new IamIdentity(client(2), client(1), now);
  }

  const set = () => identity().setPassword(USER, new Secret(Buffer.from(PASSWORD)));

  it("sets the password without demanding a change at first sign-in", async () => {
    await set();
    expect(Object.fromEntries(calls[0]!)).to.deep.include({
      Action: "UpdateLoginProfile",
      UserName: USER,
      Password: PASSWORD,
      PasswordResetRequired: "false",
    });
  });

  for (const [status, code, expected, message] of [
    [400, "PasswordPolicyViolation", "password-refused", "does not fit the account's password policy"],
    [404, "NoSuchEntity", "no-such-user", "no such user"],
    [403, "AccessDenied", "iam-denied", "It takes iam:UpdateLoginProfile"],
    [403, "ExpiredToken", "iam-credentials", "Sign in anew"],
    [409, "EntityTemporarilyUnmodifiable", "iam-refused", "Try again in a few minutes"],
    [400, "SomethingNew", "iam-refused", "SomethingNew"],
    [400, "Throttling", "iam-unavailable", "does not answer"],
    [500, "ServiceFailure", "iam-unavailable", "does not answer"],
    [503, "ServiceUnavailable", "iam-unavailable", "does not answer"],
  ] as const) {
    it(`says what ${code} means, sends once, and quotes nothing of what was sent`, async () => {
      answers = [{ status, code }];
      const error = (await failure(set())) as CustodyError;
      expect(error.code).to.equal(expected);
      expect(error.message).to.include(message).and.include(USER);
      expect(calls).to.have.length(1);
      const shown = [
        inspect(error, { depth: 9, showHidden: true }),
        JSON.stringify(errorFields(error)),
        error.stack!,
      ];
      for (const text of shown) expect(secretsIn(text, [PASSWORD])).to.deep.equal([]);
    });
  }

  it("takes a cut connection for no answer, and does not send a password twice by itself", async () => {
    answers = ["cut"];
    const error = (await failure(set())) as CustodyError;
    expect(error.code).to.equal("iam-unavailable");
    expect(calls).to.have.length(1);
    expect(secretsIn(inspect(error, { depth: 9, showHidden: true }), [PASSWORD])).to.deep.equal([]);
  });

  it("retries what only reads", async () => {
    answers = ["cut", { status: 200, body: "<MFADevices/><IsTruncated>false</IsTruncated>" }];
    expect(await identity().devices(USER)).to.deep.equal([]);
    expect(calls).to.have.length(2);
  });

  it("reads all pages", async () => {
    const member = (serial: string) =>
      `<member><UserName>${USER}</UserName><SerialNumber>${serial}</SerialNumber><EnableDate>2026-01-02T03:04:05Z</EnableDate></member>`;
    answers = [
      {
        status: 200,
        body: `<MFADevices>${member("one-of-two")}</MFADevices><IsTruncated>true</IsTruncated><Marker>next</Marker>`,
      },
      {
        status: 200,
        body: `<MFADevices>${member("two-of-two")}</MFADevices><IsTruncated>false</IsTruncated>`,
      },
    ];
    expect(await identity().devices(USER)).to.deep.equal(
      ["one-of-two", "two-of-two"].map((serialNumber) => ({
        serialNumber,
        enabledAt: "2026-01-02T03:04:05.000Z",
      })),
    );
  });

  it("finds out that a user has no password", async () => {
    answers = [{ status: 404, code: "NoSuchEntity" }];
    expect((await failure(identity().checkPassword(USER))).code).to.equal("no-password");
  });

  it("refuses to go on with a wrong clock", async () => {
    const date = new Date("2026-01-02T03:04:05Z");
    const profile = `<LoginProfile><UserName>${USER}</UserName><CreateDate>2026-01-01T00:00:00Z</CreateDate></LoginProfile>`;
    answers = [{ status: 200, body: profile, date: date.toUTCString() }];
    await identity(() => date.getTime() + 30_000).checkPassword(USER);
    const error = await failure(identity(() => date.getTime() - 90_000).checkPassword(USER));
    expect(error.code).to.equal("clock");
    expect(error.message).to.include("90 s slow");
  });

  it("does not mind a device that is gone already", async () => {
    answers = [{ status: 404, code: "NoSuchEntity" }];
    await identity().deactivateDevice(USER, "arn:aws:iam::222222222222:mfa/x");
    await identity().deleteTotpDevice("arn:aws:iam::222222222222:mfa/x");
    answers = [{ status: 403, code: "InvalidAuthenticationCode" }];
    const wrong = identity().enableTotpDevice(USER, "arn:aws:iam::222222222222:mfa/x", ["123456", "654321"]);
    expect((await failure(wrong)).code).to.equal("wrong-codes");
  });
});
