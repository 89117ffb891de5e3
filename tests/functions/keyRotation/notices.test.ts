import { expect } from "chai";
import { templateReader } from "../../../functions/keyRotation/adapters/templates";
import type { AccountNotices, NoticeEntry } from "../../../functions/keyRotation/engine/ports";
import { type Claims, deliver } from "../../../functions/keyRotation/notify/deliver";
import { accountNoticesSchema, sayingOf } from "../../../functions/keyRotation/notify/message";
import { builtInTemplate, renderMail, templateProblem } from "../../../functions/keyRotation/notify/render";
import type { Mail } from "../../../functions/shared/mail/mail";

const id = (n: number) => String(n).padStart(40, "0");
const entry = (n: number, other: Partial<NoticeEntry> = {}): NoticeEntry => ({
  id: id(n),
  userName: `user${n}`,
  what: `rotated:AKIA${n}`,
  owner: "",
  secretName: `/bulkhead/keys/111111111111/user${n}`,
  ...other,
});
const notices = (entries: NoticeEntry[], other: Partial<AccountNotices> = {}): AccountNotices => ({
  accountId: "111111111111",
  accountName: "workload",
  accountEmail: "owner@example.com",
  runId: "run-1",
  mode: "enforce",
  entries,
  ...other,
});
const MAIL = {
  to: ["tag", "account", "central"] as ("tag" | "account" | "central")[],
  central: ["identity@example.com"],
};

function setUp(fail: (to: string[]) => boolean = () => false) {
  const taken = new Set<string>();
  const sent: { to: string[]; mail: Mail }[] = [];
  const claims: Claims = {
    take: async (_, ids) => {
      const news = ids.filter((each) => !taken.has(each));
      for (const each of news) taken.add(each);
      return new Set(news);
    },
    giveBack: async (_, ids) => {
      for (const each of ids) taken.delete(each);
    },
  };
  const send = async (to: string[], mail: Mail) => {
    if (fail(to)) throw new Error("refused");
    sent.push({ to, mail });
  };
  return {
    sent,
    taken,
    ports: { claims, send, template: async (mode: "audit" | "enforce") => builtInTemplate(mode) },
  };
}

describe("mails about keys", () => {
  it("are one for each account, run and recipient, and one for each failed action", async () => {
    const { sent, ports } = setUp();
    await deliver(
      notices([
        entry(1),
        entry(2),
        entry(3, { owner: "dev@example.com" }),
        entry(4, { what: "failed:rotate:AKIA4" }),
        entry(5, { what: "failed:delete:AKIA5" }),
      ]),
      MAIL,
      ports,
    );
    expect(sent.map(({ to, mail }) => [to.join(), mail.subject])).to.deep.equal([
      ["owner@example.com", "[Access keys] workload: 2 notices"],
      ["dev@example.com", "[Access keys] workload: 1 notice"],
      ["owner@example.com", "[Access keys] workload: a step failed"],
      ["owner@example.com", "[Access keys] workload: a step failed"],
    ]);
  });

  it("are not sent twice for the same thing, also when the second message has more", async () => {
    const { sent, ports } = setUp();
    const message = notices([entry(1), entry(2)]);
    await deliver(message, MAIL, ports);
    await deliver(message, MAIL, ports);
    await deliver(notices([entry(1), entry(3)]), MAIL, ports);
    expect(sent).to.have.length(2);
    expect(sent[1]?.mail.text).to.include("AKIA3").and.to.not.include("AKIA1");
  });

  it("are sent again when the server refused them, without a second one to others", async () => {
    let down = true;
    const { sent, ports } = setUp((to) => down && to.includes("owner@example.com"));
    const message = notices([entry(1), entry(2, { owner: "dev@example.com" })]);
    let failure: unknown;
    await deliver(message, MAIL, ports).catch((error: unknown) => {
      failure = error;
    });
    expect(failure).to.be.instanceOf(Error);
    down = false;
    await deliver(message, MAIL, ports);
    expect(sent.map(({ to }) => to.join())).to.deep.equal(["dev@example.com", "owner@example.com"]);
  });

  it("go to the first address that there is, and never to what is not one", async () => {
    const { sent, ports } = setUp();
    const entries = [
      entry(1, { owner: "a@example.com, b@example.com" }),
      entry(2, { owner: "x@example.com\nBcc: y@example.com" }),
    ];
    await deliver(notices(entries, { accountEmail: "" }), MAIL, ports);
    expect(sent.map(({ to }) => to.join())).to.deep.equal(["identity@example.com"]);
    expect(
      await deliver(notices([entry(9)], { accountEmail: "" }), { to: ["account"], central: [] }, ports),
    ).to.deep.include({ mails: 0, withoutAddress: 1 });
  });

  it("escape everything that comes from accounts", () => {
    const mail = renderMail(
      notices([entry(1, { userName: "<img src=x>", what: "escalate:in-use:<b>" })], {
        accountName: "<script>",
      }),
      [entry(1, { userName: "<img src=x>", what: "escalate:in-use:<b>" })],
      builtInTemplate("enforce"),
    );
    expect(mail.html).to.not.match(/<img|<script|<b>&|in-use:<b>/);
    expect(mail.html).to.include("&lt;img src=x&gt;");
  });

  it("say something about every kind of entry", () => {
    for (const what of [
      "rotated:K",
      "deactivated:K",
      "deleted:K",
      "orphan-deleted:K",
      "due:K",
      "due-deactivation:K",
      "due-deletion:K",
      "due-orphan-deletion:K",
      "escalate:in-use:K",
      "escalate:two-keys:K",
      "escalate:not-in-secret:K",
      "escalate:new-key-inactive:K",
      "escalate:replacement-gone:K",
      "escalate:re-enabled:K",
      "escalate:used-since-replacement:K",
      "failed:rotate:K",
    ]) {
      const { label, text } = sayingOf({ what, secretName: "S" });
      expect(label, what).to.not.equal("Note");
      expect(text, what).to.include("K").and.to.not.match(/[{}]/);
    }
  });

  it("use templates of the bucket, and the built-in ones instead of what is none", async () => {
    const files: Record<string, string> = {
      "p/t/enforce.html": "<p>Department X {{ entries }}</p>",
      "p/t/audit.html": "{{password}} {{entries}}",
    };
    const warnings: unknown[] = [];
    const log = {
      info: () => {},
      error: () => {},
      warn: (_: string, fields: unknown) => void warnings.push(fields),
    };
    const read = templateReader(
      { get: async (key) => files[key] },
      "p/",
      { audit: "t/audit", enforce: "t/enforce" },
      log,
    );
    const enforce = await read("enforce");
    expect(renderMail(notices([entry(1)]), [entry(1)], enforce).html).to.match(/^<p>Department X <table/);
    expect(enforce.text).to.equal(builtInTemplate("enforce").text);
    expect(await read("audit")).to.deep.equal(builtInTemplate("audit"));
    expect(warnings).to.have.length(1);
    expect(templateProblem("{{entries}} {{count}}")).to.equal(undefined);
    expect(templateProblem("no entries")).to.include("{{entries}} is missing");
  });

  it("are refused as a message when they are none", () => {
    expect(accountNoticesSchema.safeParse({ ...notices([entry(1)]), accountId: "x" }).success).to.equal(
      false,
    );
    expect(accountNoticesSchema.safeParse(notices([entry(1)])).success).to.equal(true);
  });
});
