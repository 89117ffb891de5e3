import { expect } from "chai";
import { LambdaEngine } from "../../../../functions/approval/http/engine";
import {
  operationsOf,
  PAGES_VARIABLE,
  readPagesSettings,
} from "../../../../functions/approval/http/settings";

const BASE = {
  cell: "prod",
  region: "us-east-1",
  baseUrl: "https://approval.example.com/",
  requestsTable: "bulkhead-approval-requests-prod",
  auditTable: "bulkhead-approval-audit-prod",
  engineFunction: "bulkhead-approval-engine-prod",
  directory: "s3://bucket/directory.json",
};
const read = (value: object | string) =>
  readPagesSettings({ [PAGES_VARIABLE]: typeof value === "string" ? value : JSON.stringify(value) });

describe("the settings of approval's pages", () => {
  it("have defaults", () => {
    expect(read(BASE)).to.deep.include({
      baseUrl: "https://approval.example.com",
      timeZone: "UTC",
      language: "en",
      sessionSeconds: 3_600,
    });
    expect(operationsOf({ events: ["ec2:TerminateInstances"] }).map(({ api }) => api)).to.deep.equal([
      "TerminateInstances",
    ]);
    expect(operationsOf({}).length).to.be.above(20);
  });

  const oidc = { issuer: "https://login.example.com", clientId: "x" };
  const wrong: [string, object | string, string][] = [
    ["are missing", "", "is not set"],
    ["are no JSON", "{", "is not JSON"],
    ["have an unknown time zone", { ...BASE, timeZone: "Mars/Base" }, "timeZone: "],
    ["have an unknown event", { ...BASE, events: ["ec2:Everything"] }, "events.0"],
    ["have a provider, but no key for cookies", { ...BASE, oidc }, "cookieKeyParameter: needed with oidc"],
    [
      "ask for a sign-in without a provider",
      { ...BASE, acting: "either" },
      "acting: signIn and either need oidc",
    ],
    [
      "have a provider without TLS",
      { ...BASE, oidc: { ...oidc, issuer: "http://login.example.com" }, cookieKeyParameter: "/k" },
      "oidc.issuer",
    ],
    [
      "look users up in accounts without a role",
      { ...BASE, iamUsers: { accounts: ["111122223333", "222222222222"], ownAccount: "111122223333" } },
      "iamUsers.role",
    ],
    ["have an unknown key", { ...BASE, token: "x" }, "token"],
  ];
  for (const [what, value, says] of wrong) {
    it(`say what is wrong when they ${what}`, () => {
      expect(() => read(value)).to.throw(says);
    });
  }
});

describe("the engine as a function", () => {
  const sent: { name: string | undefined; type: string | undefined; payload: unknown }[] = [];
  const engine = (answer: object) =>
    new LambdaEngine(
      {
        send: async ({
          input,
        }: {
          input: { FunctionName?: string; InvocationType?: string; Payload?: Uint8Array };
        }) => {
          sent.push({
            name: input.FunctionName,
            type: input.InvocationType,
            payload: JSON.parse(Buffer.from(input.Payload!).toString()),
          });
          return answer;
        },
      } as never,
      "engine",
    );
  const request = {
    requestId: "r",
    person: "bob",
    service: "ec2",
    api: "DeleteVpc",
    input: {},
    account: "1",
    region: "r",
    reason: "",
  };

  it("is told of changes and renewals, and asked to open", async () => {
    await engine({}).changed("r", 3);
    await engine({}).renew({ requestId: "r", person: "bob", purpose: "decide", level: 0, renewals: 1 });
    const answer = { Payload: Buffer.from(JSON.stringify({ opened: false, reason: "exists" })) };
    expect(await engine(answer).open(request)).to.deep.equal({ opened: false, reason: "exists" });
    expect(sent).to.deep.equal([
      { name: "engine", type: "Event", payload: { kind: "changed", requestId: "r", version: 3 } },
      {
        name: "engine",
        type: "Event",
        payload: { kind: "renew", requestId: "r", person: "bob", purpose: "decide", level: 0, renewals: 1 },
      },
      { name: "engine", type: "RequestResponse", payload: { kind: "open", ...request } },
    ]);
  });

  it("fails loudly", async () => {
    for (const answer of [{ FunctionError: "Unhandled" }, { Payload: Buffer.from("{}") }]) {
      expect(
        await engine(answer)
          .open(request)
          .catch((error: Error) => error.message),
      ).to.match(/engine (failed|did not say)/);
    }
  });
});
