import { createHmac } from "node:crypto";
import { expect } from "chai";
import { createApp } from "../../../../functions/approval/http/app";
import { checkSignature } from "../../../../functions/approval/http/slack";
import {
  httpEvent,
  OPERATION_HASH,
  PREVIEW_HASH,
  pagesWorld,
  REQUEST_ID,
  START,
} from "../../../support/approvalPages";

const SECRET = "8f742231b10e8888abcd99yyyzzz85a5";
const SEEN = `${PREVIEW_HASH.slice(0, 16)}-${OPERATION_HASH.slice(0, 16)}`;
const ANSWER_AT = "https://hooks.slack.com/actions/T02ABCDEF/1/secret";

async function setUp() {
  const world = await pagesWorld();
  await world.happens({ kind: "confirm", actor: await world.actor("alice") });
  const answers: { url: string; text: string }[] = [];
  const slack = {
    signingSecretParameter: "/slack",
    team: "T02ABCDEF",
    parameters: { read: async () => `${SECRET}\n`, forget() {} },
    answers: {
      async answer(url: string, body: object) {
        answers.push({ url, text: (body as { text: string }).text });
      },
    },
  };
  const app = createApp({ ...world.parts, slack });
  return { world, app, answers };
}

interface Click {
  user?: string;
  team?: string;
  choice?: string;
  value?: string;
  reason?: string;
  answerAt?: string;
  at?: number;
  secret?: string;
  body?: string;
}

/** A click as Slack sends and signs it. */
function click({
  user = "U0BOB",
  team = "T02ABCDEF",
  choice = "approve",
  value = `${REQUEST_ID} 0 ${SEEN}`,
  reason,
  answerAt = ANSWER_AT,
  at = START,
  secret = SECRET,
  body,
}: Click = {}) {
  const payload = {
    type: "block_actions",
    team: { id: team, domain: "example" },
    user: { id: user, username: "bob" },
    api_app_id: "A1",
    trigger_id: "1.2.3",
    actions: [{ action_id: choice, block_id: "decision", type: "button", value }],
    ...(reason !== undefined && {
      state: { values: { reason: { reason: { type: "plain_text_input", value: reason } } } },
    }),
    response_url: answerAt,
  };
  const text = body ?? `payload=${encodeURIComponent(JSON.stringify(payload))}`;
  const timestamp = String(Math.floor(at / 1_000));
  const signature = createHmac("sha256", secret).update(`v0:${timestamp}:${text}`).digest("hex");
  return httpEvent("POST", "/slack", {
    body: text,
    base64: true,
    headers: {
      "Content-Type": "application/x-www-form-urlencoded",
      "X-Slack-Request-Timestamp": timestamp,
      "X-Slack-Signature": `v0=${signature}`,
    },
  });
}

describe("acting from Slack", () => {
  it("checks signatures as Slack's documentation has them", () => {
    const body = Buffer.from(
      "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c",
    );
    const headers = {
      "x-slack-request-timestamp": "1531420618",
      "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    };
    const now = 1_531_420_618_000;
    expect(checkSignature({ headers, body }, SECRET, now)).to.include({ valid: true });
    expect(checkSignature({ headers, body }, SECRET, now + 301_000)).to.include({ valid: false });
    expect(checkSignature({ headers, body }, SECRET, now - 301_000)).to.include({ valid: false });
    expect(checkSignature({ headers, body }, "", now)).to.include({ valid: false });
    expect(
      checkSignature({ headers, body: Buffer.concat([body, Buffer.from("x")]) }, SECRET, now),
    ).to.include({ valid: false });
    expect(checkSignature({ headers: {}, body }, SECRET, now)).to.include({ valid: false });
  });

  it("lets the person act whom the directory knows by their Slack id", async () => {
    const { world, app, answers } = await setUp();
    expect((await app(click())).statusCode).to.equal(200);
    const { approvals } = await world.request();
    expect(approvals[0]).to.include({ channel: "slack", level: 0 });
    expect(approvals[0]!.by).to.include("person:bob");
    expect(answers).to.deep.equal([
      { url: ANSWER_AT, text: `Your approval of request ${REQUEST_ID} is recorded.` },
    ]);
    expect(world.engine.changes).to.deep.equal([[REQUEST_ID, 3]]);
  });

  it("takes a click once, however often it is sent", async () => {
    const { world, app, answers } = await setUp();
    const event = click({ choice: "deny", reason: "no" });
    const statuses = (await Promise.all([app(event), app(event), app(event)])).map(
      ({ statusCode }) => statusCode,
    );
    expect(statuses).to.deep.equal([200, 200, 200]);
    expect(answers).to.have.length(1);
    expect((await world.request()).denial).to.include({ reason: "no", channel: "slack" });
  });

  const refused: [string, Click, number, string | undefined][] = [
    ["what Slack did not sign", { secret: "other" }, 401, undefined],
    ["what is too old", { at: START - 301_000 }, 401, undefined],
    ["another workspace", { team: "T0OTHER" }, 403, undefined],
    ["somebody whom the directory does not know", { user: "U0MALLORY" }, 200, "does not list that Slack id"],
    ["a denial without a reason", { choice: "deny", reason: "  " }, 200, "Say why"],
    ["another level", { value: `${REQUEST_ID} 1 ${SEEN}` }, 200, "past this stage"],
    ["a request as it is not", { value: `${REQUEST_ID} 0 0-0` }, 200, "changed while you were looking"],
    ["a request that is not there", { value: `other 0 ${SEEN}` }, 200, "leads nowhere"],
    ["another action", { choice: "execute" }, 200, undefined],
    ["what is no JSON", { body: "payload=%7B" }, 200, undefined],
  ];
  for (const [what, wrong, status, says] of refused) {
    it(`refuses ${what}`, async () => {
      const { world, app, answers } = await setUp();
      expect((await app(click(wrong))).statusCode).to.equal(status);
      expect((await world.request()).version).to.equal(2);
      if (says === undefined) expect(answers).to.deep.equal([]);
      else expect(answers[0]!.text).to.contain(says);
    });
  }

  it("answers nobody but Slack", async () => {
    for (const answerAt of [
      "https://evil.example/",
      "http://hooks.slack.com/x",
      "https://hooks.slack.com.evil.example/",
      "https://hooks.slack.com:8443/",
    ]) {
      const { app, answers } = await setUp();
      expect((await app(click({ answerAt }))).statusCode).to.equal(200);
      expect(answers).to.deep.equal([]);
    }
  });

  it("lets nobody act while the directory is out of reach, and says so", async () => {
    const { world, app, answers } = await setUp();
    world.directory = undefined;
    expect((await app(click())).statusCode).to.equal(200);
    expect(answers[0]!.text).to.contain("nothing was changed");
    expect((await world.request()).version).to.equal(2);
  });

  it("is not there unless it is configured, and takes POST only", async () => {
    const { world, app } = await setUp();
    expect((await world.app(click())).statusCode).to.equal(404);
    expect((await app(httpEvent("GET", "/slack"))).statusCode).to.equal(405);
  });
});
