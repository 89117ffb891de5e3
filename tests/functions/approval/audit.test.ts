import { expect } from "chai";
import { signedIdentity } from "../../../cli/commands/approval/identity";
import type { AuditEntry } from "../../../functions/approval/audit/entry";
import { auditText } from "../../../functions/approval/audit/export";
import { answerSchema, atDesk, type DeskParts, wishSchema } from "../../../functions/approval/desk/desk";
import { AUDIENCE_HEADER, audienceOf, callerOf } from "../../../functions/approval/desk/proof";
import { intakeSettings } from "../../../functions/approval/intake/settings";
import { world } from "./support/engineWorld";
import { denied, EVENT_ID } from "./support/events";

const TIME = { since: new Date("2026-11-01T00:00:00Z"), until: new Date("2026-11-30T00:00:00Z") };
const entry = (more: Partial<AuditEntry>): AuditEntry => ({
  requestId: EVENT_ID,
  at: "2026-11-23T10:00:00.000Z",
  cell: "prod",
  what: "deny",
  by: ["person:bob"],
  channel: "page",
  before: "approving",
  after: "denied",
  version: 3,
  operationHash: "0".repeat(64),
  previewHash: "1".repeat(64),
  requester: ["person:alice"],
  ...more,
});

describe("the audit's export", () => {
  it("is JSON that holds every field", () => {
    expect(JSON.parse(auditText([entry({})], "json", TIME))).to.deep.equal([entry({})]);
  });

  it("is CSV in which no field is a formula", () => {
    const dangerous = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"];
    for (const reason of dangerous) {
      const [header, line] = auditText([entry({ reason })], "csv", TIME).split("\n") as [string, string];
      const column = header.split(",").indexOf("reason");
      expect(column).to.be.greaterThan(0);
      expect(line, JSON.stringify(reason)).to.match(/,"?'/);
    }
  });

  it("is a page on which nothing that somebody wrote is markup", () => {
    const page = auditText([entry({ reason: "<script>alert(1)</script>" })], "html", TIME);
    expect(page).to.include("&lt;script&gt;").and.not.include("<script");
  });
});

describe("who uses the command line", () => {
  const CREDENTIALS = {
    accessKeyId: "AKIAIOSFODNN7EXAMPLE",
    secretAccessKey: "secret",
    sessionToken: "token",
  };
  const WISH = { kind: "cancel" as const, requestId: EVENT_ID };
  const expected = { region: "us-east-1", audience: audienceOf("prod", WISH) };
  const answering = (asked: { host: string; headers: Readonly<Record<string, string>> }[]) => {
    return async (host: string, headers: Readonly<Record<string, string>>) => {
      asked.push({ host, headers });
      return { status: 200, text: "<Arn>arn:aws:iam::111122223333:user/ops/alice</Arn>" };
    };
  };
  const problem = (headers: Record<string, string>, wanted = expected) =>
    callerOf(headers, wanted, answering([])).then(
      () => "",
      (error: Error) => error.message,
    );

  it("is what the region's own STS says of a signature that covers the wish", async () => {
    const headers = await signedIdentity("us-east-1", "prod", WISH, CREDENTIALS);
    expect(headers.authorization).to.match(new RegExp(`SignedHeaders=[^,]*${AUDIENCE_HEADER}`));
    const asked: Parameters<typeof answering>[0] = [];
    expect(await callerOf(headers, expected, answering(asked))).to.equal(
      "arn:aws:iam::111122223333:user/ops/alice",
    );
    expect(asked.map(({ host }) => host)).to.deep.equal(["sts.us-east-1.amazonaws.com"]);
    expect(JSON.stringify(headers)).to.not.include(CREDENTIALS.secretAccessKey);
  });

  it("is not shown by a signature for another wish, cell or region, nor by one that does not cover the wish", async () => {
    const headers = await signedIdentity("us-east-1", "prod", WISH, CREDENTIALS);
    expect(await problem(headers, { ...expected, audience: audienceOf("dr", WISH) })).to.include(
      "another wish",
    );
    expect(await problem(headers, { ...expected, region: "us-west-2" })).to.include("not made for");
    const { [AUDIENCE_HEADER]: audience, ...without } = headers;
    expect(await problem(without)).to.include("another wish");
    const unsigned = (headers.authorization ?? "").replace(`;${AUDIENCE_HEADER}`, "");
    expect(await problem({ ...without, [AUDIENCE_HEADER]: audience!, authorization: unsigned })).to.include(
      "does not cover",
    );
    expect(await problem({ ...headers, "x-forwarded-host": "sts.evil.example" })).to.include("a header");
  });
});

describe("the desk", () => {
  const ALICE = "arn:aws:iam::111122223333:user/ops/alice";
  const event = denied("ec2", "TerminateInstances", {
    instancesSet: { items: [{ instanceId: "i-0fc5d99558e8357e8" }] },
  });

  function desk() {
    const made = world();
    let ids = 0;
    const parts: DeskParts = {
      ...made.parts,
      auditReader: made.audit,
      intakeSettings: intakeSettings(),
      newId: () => `00000000-0000-4000-8000-${String(++ids).padStart(12, "0")}`,
    };
    const ask = async (caller: string, wish: unknown) =>
      answerSchema.parse(JSON.parse(JSON.stringify(await atDesk(parts, caller, wishSchema.parse(wish)))));
    return { ...made, ask };
  }

  it("opens, lists, shows and cancels for whoever is in the directory", async () => {
    const { ask, state } = desk();
    expect(await ask(ALICE, { kind: "openEvent", event, reason: "old" })).to.deep.equal({
      opened: "00000000-0000-4000-8000-000000000001",
    });
    expect(await ask(ALICE, { kind: "openEvent", event, reason: "old" })).to.have.property("exists");
    const list = await ask(ALICE, { kind: "list" });
    expect("list" in list && list.list[0]).to.have.property("cell", "prod");
    const shown = await ask(ALICE, { kind: "show", requestId: "00000000-0000-4000-8000-000000000001" });
    expect("shown" in shown && shown.shown.details?.reason).to.equal("old");
    expect(
      await ask(ALICE, { kind: "cancel", requestId: "00000000-0000-4000-8000-000000000001" }),
    ).to.have.property("cancelled");
    expect(
      await ask(ALICE, { kind: "cancel", requestId: "00000000-0000-4000-8000-000000000001" }),
    ).to.have.property("refused");
    expect(state.calls).to.deep.equal([]);
    const audit = await ask(ALICE, {
      kind: "audit",
      since: "2026-11-23T00:00:00.000Z",
      until: "2026-11-24T00:00:00.000Z",
      skip: 0,
    });
    expect("more" in audit && audit.entries.map(({ what }) => what)).to.include.members(["open", "cancel"]);
  });

  it("does nothing for anybody else, and cancels nobody else's request", async () => {
    const { ask, deliver } = desk();
    await deliver(event);
    expect(await ask("arn:aws:iam::111122223333:user/mallory", { kind: "list" })).to.have.property("refused");
    expect(
      await ask("arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Dba_1/bob@example.com", {
        kind: "cancel",
        requestId: EVENT_ID,
      }),
    )
      .to.have.property("refused")
      .that.includes("only its requester");
    // Whoever assumes another role chooses the session's name.
    expect(
      await ask("arn:aws:sts::111122223333:assumed-role/Dba/bob@example.com", { kind: "list" }),
    ).to.have.property("refused");
  });
});
