import { expect } from "chai";
import * as fc from "fast-check";
import { LANGUAGES } from "../../../../functions/approval/directory/document";
import { readClick } from "../../../../functions/approval/http/slack";
import { linkHash } from "../../../../functions/approval/links/secret";
import { ASKS, isAsk, MESSAGE_KINDS } from "../../../../functions/approval/messages/kinds";
import {
  type Chat,
  Messenger,
  type MessengerOptions,
  peopleAsked,
} from "../../../../functions/approval/messages/messenger";
import { type Message, renderMail } from "../../../../functions/approval/messages/renderMail";
import { chatsOf, mailerTo, messageSettingsSchema } from "../../../../functions/approval/messages/settings";
import {
  defaultTemplate,
  parseTemplates,
  VALUE_PLACEHOLDERS,
} from "../../../../functions/approval/messages/template";
import { TemplateSource } from "../../../../functions/approval/messages/templateSource";
import type { Mail } from "../../../../functions/shared/mail/mail";
import {
  type PagesWorld,
  pagesWorld,
  REQUEST_ID,
  START,
  sampleDetails,
} from "../../../support/approvalPages";

const HOSTILE = `<script>alert(1)</script>"'&{{code}}\u202egnp`;

async function setUp(more: Partial<MessengerOptions> = {}, world?: PagesWorld) {
  const pages = world ?? (await pagesWorld());
  const mails: (Mail & { to: string })[] = [];
  const posts: { kind: string; body: Record<string, unknown> }[] = [];
  const chat = (kind: Chat["kind"], buttons: boolean): Chat => ({
    kind,
    buttons,
    post: async (body) => void posts.push({ kind, body: body as Record<string, unknown> }),
  });
  const options: MessengerOptions = {
    cell: "prod",
    region: "us-east-1",
    baseUrl: "https://approval.example.com",
    timeZone: "Asia/Shanghai",
    language: "en",
    acting: "code",
    links: pages.table,
    mailTo: (to) => ({
      async send(mail) {
        if (to.startsWith("carol")) throw new Error("mailbox full");
        mails.push({ ...mail, to });
      },
    }),
    templates: new TemplateSource(undefined, pages.parts.log, () => pages.clock),
    chats: [chat("slack", true), chat("teams", false)],
    log: pages.parts.log,
    now: () => pages.clock,
    ...more,
  };
  const about = async () => ({
    request: await pages.request(),
    details: (await pages.table.readDetails(REQUEST_ID))!,
    directory: await pages.parts.people.lately(),
  });
  return { pages, mails, posts, about, messenger: new Messenger(options) };
}

describe("approval's messages", () => {
  it("ask with a link and a code that work, of which the table holds neither", async () => {
    const { pages, mails, about, messenger } = await setUp();
    const alice = (await about()).directory.person("alice")!;
    expect(await messenger.ask("confirm", await about(), [alice])).to.deep.equal([
      { person: "alice", delivered: true },
    ]);
    const [mail] = mails;
    expect(mail).to.include({
      to: "alice@example.com",
      subject: "Confirm: Terminate instances in shop-production (111122223333)",
    });
    const id = /https:\/\/approval\.example\.com\/confirm\?link=([\w-]{43})&lang=en/.exec(mail!.text)![1]!;
    const code = /Your code: (\d{3} \d{3})/.exec(mail!.text)![1]!;
    expect(mail!.html).to.contain(`link=${id}&amp;lang=en"`).and.to.contain(code);
    expect(mail!.subject).not.to.contain(code);
    expect(id).not.to.contain(code.replace(" ", ""));
    const stored = JSON.stringify(pages.table.links.get(linkHash(id)));
    expect(stored).not.to.contain(id);
    expect(stored).not.to.contain(code.replace(" ", ""));
    for (const part of [mail!.text, mail!.html]) {
      for (const shown of [
        "i-0fc5d99558e8357e8",
        "us-east-1 (N. Virginia)",
        "Alice Ng",
        "replaced by the new fleet, OPS-1204",
        "72 of 100",
        "it is tagged environment=production",
        "vol-0a1b2c3d4e5f60718",
        "2026-11-22 04:15 UTC, 12:15 Asia/Shanghai",
      ]) {
        expect(part).to.contain(shown);
      }
    }
    expect(JSON.stringify(pages.log)).not.to.contain(id);
  });

  it("leave out the code where one signs in", async () => {
    const { mails, about, messenger } = await setUp({ acting: "signIn" });
    await messenger.ask("confirm", await about(), [(await about()).directory.person("alice")!]);
    expect(mails[0]!.text).to.contain("asked to sign in").and.not.to.contain("Your code");
  });

  it("reach whoever can be reached when others cannot, in their own language", async () => {
    const { pages, mails, about, messenger } = await setUp();
    await pages.happens({ kind: "confirm", actor: await pages.actor("alice") });
    await pages.happens({ kind: "approve", actor: await pages.actor("bob"), level: 0 });
    const asked = peopleAsked(await about());
    expect(asked.map(({ id }) => id)).to.deep.equal(["carol", "dave", "wei"]);
    expect(await messenger.ask("decide", await about(), asked)).to.deep.equal([
      { person: "carol", delivered: false },
      { person: "dave", delivered: true },
      { person: "wei", delivered: true },
    ]);
    const [dave, wei] = mails;
    expect(dave!.subject).to.match(/^Please decide/);
    expect(wei!.subject).to.match(/^请审批/);
    expect(wei!.html).to.contain('lang="zh-Hans"').and.to.contain("终止实例");
    const levels = [...pages.table.links.values()].map(({ level, expiresAt }) => ({ level, expiresAt }));
    const { deadline } = await pages.request();
    expect(levels).to.deep.equal(Array.from({ length: 3 }, () => ({ level: 1, expiresAt: deadline })));
  });

  it("ask nobody who has approved, asks, or is gone", async () => {
    const { pages, about } = await setUp();
    await pages.happens({ kind: "confirm", actor: await pages.actor("alice") });
    expect(peopleAsked(await about()).map(({ id }) => id)).to.deep.equal(["bob", "carol"]);
    pages.clock += 1_800_000;
    await pages.happens({ kind: "tick" });
    expect(peopleAsked(await about()).map(({ id }) => id)).to.deep.equal(["bob", "carol", "erin"]);
    await pages.happens({ kind: "approve", actor: await pages.actor("carol"), level: 0 });
    expect(peopleAsked(await about()).map(({ id }) => id)).to.deep.equal(["dave", "wei"]);
  });

  it("tell what became of a request, with a link that only shows", async () => {
    const { pages, mails, about, messenger } = await setUp();
    await pages.happens({ kind: "confirm", actor: await pages.actor("alice") });
    await pages.happens({
      kind: "deny",
      actor: await pages.actor("bob"),
      level: 0,
      reason: "use the drain first",
    });
    await messenger.tell(
      "denied",
      await about(),
      [(await about()).directory.person("alice")!],
      "nothing was done",
    );
    expect(mails[0]!.text)
      .to.contain("Denied by Bob Marsh")
      .and.to.contain("use the drain first")
      .and.to.contain("nothing was done");
    expect(mails[0]!.text)
      .to.match(/\/status\?link=/)
      .and.not.to.contain("Your code");
    const [link] = [...pages.table.links.values()];
    expect(link).to.include({ purpose: "status" }).and.not.to.have.property("codeHash");
  });

  it("ask for a form, and say why there can be no request", async () => {
    const { pages, mails, about, messenger } = await setUp();
    const alice = (await about()).directory.person("alice")!;
    const draft = { event: "rds:DeleteDBCluster", account: "111122223333", region: "us-east-1" };
    await messenger.askForm(alice, "event-1", { title: "Delete a database cluster", draft }, START + 1_000);
    await messenger.tellRefused(alice, "event-2", {
      ...draft,
      title: "Delete a volume",
      why: "force: true is not known",
    });
    expect(mails[0]!.text).to.contain("/form?link=").and.to.contain("Your code");
    expect([...pages.table.links.values()][0]).to.deep.include({
      draft,
      requestId: "event-1",
      expiresAt: START + 1_000,
    });
    expect(mails[1]!.text).to.contain("force: true is not known").and.not.to.contain("link=");
  });

  it("have the same id when they are sent again, so that mail programs show one", async () => {
    const { mails, about, messenger } = await setUp();
    const alice = (await about()).directory.person("alice")!;
    await messenger.ask("confirm", await about(), [alice]);
    await messenger.ask("confirm", await about(), [alice]);
    await messenger.ask("confirm", await about(), [alice], 1);
    expect(mails[0]!.id)
      .to.equal(mails[1]!.id)
      .and.to.match(/^[A-Za-z0-9-]+$/);
    expect(mails[2]!.id).not.to.equal(mails[0]!.id);
  });

  it("let nobody write lines that look like the message's own", async () => {
    const reason = "fine\n  Risk: low\r\nYour code: 111 111\u2028Approved by: everybody";
    const { mails, about, messenger } = await setUp({}, await pagesWorld({}, sampleDetails({ reason })));
    await messenger.ask("confirm", await about(), [(await about()).directory.person("alice")!]);
    const lines = mails[0]!.text.split(/[\n\u2028]/).map((line) => line.trim());
    expect(lines.filter((line) => line.startsWith("Your code:"))).to.have.length(1);
    expect(lines.some((line) => line.startsWith("Risk: low") || line.startsWith("Approved by"))).to.equal(
      false,
    );
  });

  it("escape everything, and put no value's placeholder in", async () => {
    const details = sampleDetails({
      reason: HOSTILE,
      account: { id: "111122223333", name: HOSTILE },
      requester: { person: "nobody", name: HOSTILE, arn: HOSTILE },
      preview: [{ label: HOSTILE, value: HOSTILE }],
      risk: { score: 1, name: HOSTILE, reasons: [{ code: "x", points: 1, text: HOSTILE }] },
    });
    const { mails, about, messenger, posts } = await setUp({}, await pagesWorld({}, details));
    await messenger.ask("confirm", await about(), [(await about()).directory.person("alice")!]);
    expect(mails[0]!.html).not.to.contain("<script").and.not.to.contain("\u202e");
    expect(mails[0]!.html).to.contain("{{code}}");
    expect(mails[0]!.subject).not.to.match(/[\r\n]/);
    await messenger.post("decide", await about());
    // Plain text of Slack is shown as it is; only its mark-up has to be escaped.
    const { blocks } = posts.find(({ kind }) => kind === "slack")!.body;
    const markUp = (blocks as { text?: { type: string; text: string } }[]).filter(
      ({ text }) => text?.type === "mrkdwn",
    );
    expect(markUp.length).to.be.above(3);
    expect(JSON.stringify(markUp)).to.contain("&lt;script").and.not.to.contain("<script");
  });

  describe("templates", () => {
    it("exist for every kind and language, with nothing left open", () => {
      const values = Object.fromEntries(
        VALUE_PLACEHOLDERS.map((name) => [name, `(${name})`]),
      ) as unknown as Message["values"];
      for (const kind of MESSAGE_KINDS) {
        for (const language of LANGUAGES) {
          const template = defaultTemplate(kind, language);
          const mail = renderMail(
            {
              kind,
              language,
              values,
              summary: [{ title: "T", lines: [{ label: "L", value: "V" }] }],
              region: "r",
              id: "x",
              link: "https://l.example/x",
              ...(isAsk(kind) && { code: "123456" }),
            },
            template,
          );
          for (const part of [mail.subject, mail.text, mail.html])
            expect(part, `${kind} ${language}`).not.to.match(/\{\{|\}\}|undefined/);
          expect(mail.text).to.contain("L: V");
          if (isAsk(kind)) expect(mail.text).to.contain("123 456");
          expect(() =>
            parseTemplates(JSON.stringify({ version: 1, templates: { [kind]: { [language]: template } } })),
          ).not.to.throw();
        }
      }
    });

    const base = { subject: "About {{operation}}", text: "Look:\n\n{{summary}}\n\n{{action}}" };
    const document = (kind: string, template: object) =>
      JSON.stringify({ version: 1, templates: { [kind]: { en: template } } });

    it("of a team are used, and their values are escaped in their HTML", async () => {
      const own = { ...base, html: "<p>{{ reason }} {{link}} {{code}}</p>{{summary}}" };
      const source = { read: async () => document("confirm", own) };
      const { mails, about, messenger, pages } = await setUp();
      const options = { templates: new TemplateSource(source, pages.parts.log, () => pages.clock) };
      const second = await setUp(options, await pagesWorld({}, sampleDetails({ reason: HOSTILE })));
      await second.messenger.ask("confirm", await second.about(), [
        (await second.about()).directory.person("alice")!,
      ]);
      expect(second.mails[0]!.subject).to.equal("About Terminate instances");
      expect(second.mails[0]!.html).to.match(/^<p>&lt;script&gt;/);
      expect(mails).to.deep.equal([]);
      expect(messenger).to.be.instanceOf(Messenger);
      expect(await about()).to.have.property("request");
    });

    const refused: [string, string, object, string][] = [
      ["an unknown placeholder", "done", { ...base, text: "{{token}}" }, "done.en.text"],
      ["a block in a subject", "done", { ...base, subject: "{{summary}}" }, "done.en.subject"],
      ["a code in a subject", "confirm", { ...base, subject: "{{code}}" }, "locked screens"],
      ["an ask without a way to act", "decide", { ...base, text: "{{summary}} {{link}}" }, "{{action}}"],
      ["an ask that does not say for what", "execute", { ...base, text: "{{action}}" }, "{{summary}}"],
      [
        "an HTML part without what the text has",
        "decide",
        { ...base, html: "<p>{{summary}}</p>" },
        "decide.en.html",
      ],
      ["an unknown kind", "hello", base, "templates"],
    ];
    for (const [what, kind, template, says] of refused) {
      it(`of a team are refused for ${what}`, () => {
        expect(() => parseTemplates(document(kind, template))).to.throw(says);
      });
    }

    it("that cannot be used hold no mail up", async () => {
      const pages = await pagesWorld();
      for (const read of [async () => "{", async () => Promise.reject(new Error("gone"))]) {
        const source = new TemplateSource({ read }, pages.parts.log, () => pages.clock);
        expect(await source.template("done", "en")).to.deep.equal(defaultTemplate("done", "en"));
      }
      expect(pages.log.filter(([level]) => level === "error")).to.have.length(2);
    });

    it("never let a value become markup or a placeholder (property)", () => {
      const text = fc.oneof(
        fc.string({ unit: "binary", maxLength: 40 }),
        fc.constantFrom(HOSTILE, "{{link}}", "</td>", "<b>"),
      );
      fc.assert(
        fc.property(fc.constantFrom(...ASKS), text, text, (kind, value, label) => {
          const values = Object.fromEntries(
            VALUE_PLACEHOLDERS.map((name) => [name, value]),
          ) as unknown as Message["values"];
          const message: Message = {
            kind,
            language: "en",
            values,
            summary: [{ title: label, lines: [{ label, value }] }],
            region: "r",
            id: "x",
            link: "https://l.example/x",
            code: "123456",
          };
          const { html } = renderMail(message);
          const plain = renderMail({
            ...message,
            values: Object.fromEntries(
              VALUE_PLACEHOLDERS.map((name) => [name, "v"]),
            ) as unknown as Message["values"],
            summary: [{ title: "v", lines: [{ label: "v", value: "v" }] }],
          }).html;
          const tags = (text: string) =>
            [...text.matchAll(/<\/?[a-z0-9]+/g)].map(([tag]) => tag).filter((tag) => tag !== "<br");
          expect(tags(html)).to.deep.equal(tags(plain));
        }),
        { seed: 20261122, numRuns: 300 },
      );
    });
  });

  describe("in chats", () => {
    it("have everything, and buttons in Slack whose clicks can be read", async () => {
      const { pages, posts, about, messenger } = await setUp();
      await pages.happens({ kind: "confirm", actor: await pages.actor("alice") });
      expect(await messenger.post("decide", await about())).to.equal(2);
      const [slack, teams] = posts;
      for (const shown of ["i-0fc5d99558e8357e8", "72 of 100", "Alice Ng", "orders-db-2"]) {
        expect(JSON.stringify(slack!.body)).to.contain(shown);
        expect(JSON.stringify(teams!.body)).to.contain(shown);
      }
      const blocks = slack!.body.blocks as {
        type: string;
        elements?: { action_id: string; value: string }[];
      }[];
      const buttons = blocks.find(({ type }) => type === "actions")!.elements!;
      expect(buttons.map(({ action_id }) => action_id)).to.deep.equal(["approve", "deny"]);
      const click = readClick(
        JSON.stringify({
          type: "block_actions",
          team: { id: "T1" },
          user: { id: "U0BOB" },
          actions: [buttons[1]],
          state: { values: { reason: { reason: { value: " no " } } } },
        }),
      );
      expect(click).to.deep.include({ choice: "deny", requestId: REQUEST_ID, level: 0, reason: "no" });
      expect(JSON.stringify(teams!.body))
        .to.contain("mail with a link of their own")
        .and.not.to.contain("Action.OpenUrl");
    });

    it("lead those who sign in to the request, and ask nothing once it is over", async () => {
      const { pages, posts, about, messenger } = await setUp({ acting: "signIn" });
      await pages.happens({ kind: "cancel", actor: await pages.actor("alice") });
      await messenger.post("cancelled", await about());
      expect(JSON.stringify(posts[0]!.body))
        .to.contain(`https://approval.example.com/request?id=${REQUEST_ID}`)
        .and.not.to.contain('"actions","block_id"');
      expect(JSON.stringify(posts[1]!.body)).to.contain("Action.OpenUrl");
    });

    it("that do not answer are logged, and hold nothing up", async () => {
      const failing: Chat = { kind: "teams", buttons: false, post: () => Promise.reject(new Error("down")) };
      const { pages, about, messenger } = await setUp({ chats: [failing] });
      expect(await messenger.post("expired", await about())).to.equal(0);
      expect(pages.log.at(-1)![1]).to.contain("did not take a message");
    });
  });

  it("have settings that make mailers and chats", () => {
    const base = { baseUrl: "https://a.example/x/", mail: { kind: "ses", from: "a@example.com" } };
    const parsed = messageSettingsSchema.parse({
      ...base,
      chats: [{ kind: "teams", webhookParameter: "/p", buttons: true }],
    });
    expect(parsed).to.include({
      baseUrl: "https://a.example/x",
      timeZone: "UTC",
      language: "en",
      acting: "code",
    });
    const parameters = { read: async () => "", forget() {} };
    expect(chatsOf(parsed, { parameters })[0]).to.include({ kind: "teams", buttons: false });
    expect(
      mailerTo(parsed, { ses: { send: async () => ({}) } as never, parameters })("b@example.com"),
    ).to.have.property("send");
    expect(
      messageSettingsSchema.safeParse({ ...base, mail: { kind: "smtp", from: "a@example.com" } }).success,
    ).to.equal(false);
  });
});
