import { expect } from "chai";
import * as fc from "fast-check";
import { renderMail } from "../../../functions/notification/render/mail";
import { renderSlack, SLACK_LIMITS, slackText } from "../../../functions/notification/render/slack";
import { renderTeams, TEAMS_MAX_BYTES } from "../../../functions/notification/render/teams";
import { makeNotice, type Notice, SEVERITIES } from "../../../functions/shared/notice/notice";
import { snsNotice } from "../../../functions/shared/notice/snsNotice";
import { cleanLine, cleanText } from "../../../functions/shared/text/cleanText";
import { escapeHtml } from "../../../functions/shared/text/escapeHtml";
import { notice } from "./support/fakes";

/** Text that tries to break out: mark-up of all three channels, mixed with anything. */
const hostile = fc.oneof(
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 300 }) },
  {
    weight: 3,
    arbitrary: fc
      .array(
        fc.constantFrom(
          "<script>alert(1)</script>",
          '"><img src=x onerror=alert(1)>',
          "' onmouseover='x",
          "<!channel>",
          "<@U123>",
          "<https://evil.example|AWS>",
          "[AWS](https://evil.example)",
          "**bold**",
          "&amp;",
          "\r\nBcc: victim@example.com",
          "\u202egnp.exe",
          "😀".repeat(20),
          "&".repeat(50),
          "漢".repeat(50),
          "plain",
        ),
        { maxLength: 60 },
      )
      .map((parts) => parts.join("")),
  },
);
const hostileNotice: fc.Arbitrary<Notice> = fc
  .record({
    title: hostile,
    severity: fc.constantFrom(...SEVERITIES),
    text: hostile,
    lines: fc.array(fc.record({ label: hostile, value: hostile }), { maxLength: 40 }),
    links: fc.array(
      fc.record({ title: hostile, url: fc.webUrl({ validSchemes: ["https"], withQueryParameters: true }) }),
      { maxLength: 7 },
    ),
    region: hostile,
    account: hostile,
    time: hostile,
  })
  .map((input) => makeNotice({ ...input, title: `t${input.title}` }));
const RUNS = { seed: 4, numRuns: 150 };

/** Every text in a message's JSON. */
function textsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (value === null || typeof value !== "object") return [];
  return Object.values(value).flatMap(textsOf);
}

describe("notification: mail", () => {
  it("says the same in text and in HTML", () => {
    const mail = renderMail(notice(), "m-1");
    expect(mail.subject).to.equal("[Critical] ConsoleLogin by breakglass-admin-1");
    expect(mail.id).to.equal("m-1");
    expect(mail.text).to.equal(
      [
        "ConsoleLogin by breakglass-admin-1",
        "",
        "Severity: Critical",
        "",
        "If you do not know of an emergency, treat this as a break-in.",
        "",
        "Outcome: Success",
        "From:    198.51.100.7",
        "Account: 222222222222",
        "Region:  us-west-2",
        "Time:    2026-01-02T03:04:05Z",
        "",
        "Sign in: https://222222222222.signin.aws.amazon.com/console?region=us-west-2&x=1",
        "",
      ].join("\n"),
    );
    for (const text of ["Critical", "198.51.100.7", "222222222222", "2026-01-02T03:04:05Z"]) {
      expect(mail.html).to.contain(text);
    }
    expect(mail.html).to.contain(
      '<a href="https://222222222222.signin.aws.amazon.com/console?region=us-west-2&amp;x=1">Sign in</a>',
    );
  });

  it("keeps paragraphs and line breaks", () => {
    const { html } = renderMail(notice({ text: "one\ntwo\n\nthree" }), "m");
    expect(html).to.contain(">one<br>two</p>").and.to.contain(">three</p>");
  });

  it("lets no text become mark-up, a header, or a link", () => {
    const own = new Set(
      [...renderMail(notice(), "m").html.matchAll(/<\/?([a-z0-9!]+)/g)].map(([, tag]) => tag),
    );
    own.add("br").add("p").add("a").add("table").add("tr").add("th").add("td");
    fc.assert(
      fc.property(hostileNotice, (hostileOne) => {
        const mail = renderMail(hostileOne, "m");
        expect(mail.subject).not.to.match(/[\r\n]/);
        expect(mail.subject.length).to.be.at.most(200);
        for (const [, tag] of mail.html.matchAll(/<\/?([^\s>]+)/g)) expect(own).to.include(tag);
        const links = [...mail.html.matchAll(/href="([^"]*)"/g)].map(([, url]) => url);
        expect(links).to.deep.equal(hostileOne.links.map(({ url }) => escapeHtml(url)));
        expect(mail.html).not.to.match(/\son\w+=["']/);
        expect(mail.html).to.contain(escapeHtml(hostileOne.title));
        // Far below the 40 MB of SES, and below what mail programs cut off.
        expect(Buffer.byteLength(mail.html)).to.be.below(400_000);
      }),
      RUNS,
    );
  });

  it("makes a safe id of any", () => {
    expect(renderMail(notice(), "a>b\r\nc@d").id).to.equal("a-b--c-d");
  });
});

describe("notification: Slack", () => {
  it("shows heading, text, facts and links", () => {
    expect(renderSlack(notice())).to.deep.equal({
      text: "Critical: ConsoleLogin by breakglass-admin-1",
      blocks: [
        {
          type: "header",
          text: { type: "plain_text", text: "🚨 ConsoleLogin by breakglass-admin-1", emoji: false },
        },
        {
          type: "section",
          text: {
            type: "mrkdwn",
            text: "If you do not know of an emergency, treat this as a break-in.",
            verbatim: true,
          },
        },
        {
          type: "section",
          fields: [
            ["Outcome", "Success"],
            ["From", "198.51.100.7"],
            ["Account", "222222222222"],
            ["Region", "us-west-2"],
            ["Time", "2026-01-02T03:04:05Z"],
          ].map(([label, value]) => ({ type: "mrkdwn", text: `${label}\n${value}`, verbatim: true })),
        },
        {
          type: "section",
          text: {
            type: "mrkdwn",
            text: "<https://222222222222.signin.aws.amazon.com/console?region=us-west-2&amp;x=1|Sign in>",
            verbatim: true,
          },
        },
      ],
    });
  });

  it("keeps Slack's limits and lets no text become a mention or a link", () => {
    fc.assert(
      fc.property(hostileNotice, (hostileOne) => {
        const { text, blocks } = renderSlack(hostileOne) as {
          text: string;
          // biome-ignore lint/suspicious/noExplicitAny: blocks of several kinds
          blocks: any[];
        };
        expect(blocks.length).to.be.within(1, SLACK_LIMITS.blocks);
        const markdown = [text];
        for (const block of blocks) {
          if (block.type === "header") {
            expect(block.text.type).to.equal("plain_text");
            expect(block.text.text.length).to.be.within(1, SLACK_LIMITS.header);
            continue;
          }
          if (block.text) {
            expect(block.text.text.length).to.be.within(1, SLACK_LIMITS.section);
            markdown.push(block.text.text);
          }
          expect((block.fields ?? []).length).to.be.at.most(SLACK_LIMITS.fields);
          for (const field of block.fields ?? []) {
            expect(field.verbatim).to.equal(true);
            expect(field.text.length).to.be.within(1, SLACK_LIMITS.field);
            markdown.push(field.text);
          }
        }
        const links = markdown.flatMap((part) => part.match(/<[^>]*>/g) ?? []);
        expect(links.length).to.equal(hostileOne.links.length);
        for (const link of links) expect(link).to.match(/^<https:\/\/[^|<>]*\|[^<>]*>$/);
      }),
      RUNS,
    );
  });

  it("spreads a long report over sections, cut between lines", () => {
    const lines = Array.from({ length: 400 }, (_, n) => `- ${n} x iam CreateUser & more`);
    const { blocks } = renderSlack(notice({ text: lines.join("\n"), lines: [] })) as {
      blocks: { text?: { text: string } }[];
    };
    const sections = blocks.map(({ text }) => text?.text ?? "").filter((text) => text.startsWith("- "));
    expect(sections.length).to.be.above(1);
    for (const section of sections) expect(section.length).to.be.at.most(SLACK_LIMITS.section);
    expect(sections.join("\n").replaceAll("&amp;", "&").split("\n")).to.deep.equal(lines);
  });

  it("cuts escaped text between characters and entities, not within", () => {
    expect(slackText("a&b", 100)).to.equal("a&amp;b");
    expect(slackText("&&&", 11)).to.equal("&amp;&amp;…");
    expect(slackText("😀😀", 4)).to.equal("😀…");
  });
});

describe("notification: Teams", () => {
  // biome-ignore lint/suspicious/noExplicitAny: a card
  const card = (message: Record<string, unknown>): any =>
    // biome-ignore lint/suspicious/noExplicitAny: a message
    (message as any).attachments[0].content;

  it("is a card in the form that workflows take", () => {
    const message = renderTeams(notice());
    expect(message).to.deep.include({ type: "message" });
    // biome-ignore lint/suspicious/noExplicitAny: a message
    const [attachment] = (message as any).attachments;
    expect(attachment).to.deep.include({
      contentType: "application/vnd.microsoft.card.adaptive",
      contentUrl: null,
    });
    const { body, actions, ...rest } = card(message);
    expect(rest).to.deep.equal({
      $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
      type: "AdaptiveCard",
      version: "1.4",
      msteams: { width: "Full" },
    });
    const lines = body.map((block: { inlines: { text: string }[] }) =>
      block.inlines.map(({ text }) => text).join(""),
    );
    expect(lines).to.deep.equal([
      "Critical",
      "ConsoleLogin by breakglass-admin-1",
      "If you do not know of an emergency, treat this as a break-in.",
      "Outcome: Success",
      "From: 198.51.100.7",
      "Account: 222222222222",
      "Region: us-west-2",
      "Time: 2026-01-02T03:04:05Z",
    ]);
    expect(actions).to.deep.equal([
      {
        type: "Action.OpenUrl",
        title: "Sign in",
        url: "https://222222222222.signin.aws.amazon.com/console?region=us-west-2&x=1",
      },
    ]);
  });

  it("stays below Teams' limit, keeps what matters, and shows text only where Markdown is not read", () => {
    fc.assert(
      fc.property(hostileNotice, (hostileOne) => {
        const message = renderTeams(hostileOne);
        expect(Buffer.byteLength(JSON.stringify(message))).to.be.at.most(TEAMS_MAX_BYTES);
        const { body, actions } = card(message);
        for (const block of body) {
          expect(block.type).to.equal("RichTextBlock");
          for (const inline of block.inlines) expect(inline.type).to.equal("TextRun");
        }
        const texts = textsOf(body);
        expect(texts).to.include(hostileOne.title);
        if (hostileOne.account !== "" && !hostileOne.lines.some(({ label }) => label === "Account")) {
          expect(texts).to.include("Account: ");
        }
        expect(actions.map(({ url }: { url: string }) => url)).to.deep.equal(
          hostileOne.links.map(({ url }) => url),
        );
      }),
      RUNS,
    );
  });

  it("fits even the longest notice", () => {
    const longest = makeNotice({
      title: "漢".repeat(300),
      severity: "warning",
      text: '"\\\n'.repeat(2_000),
      lines: Array.from({ length: 40 }, () => ({ label: "漢".repeat(50), value: "漢".repeat(2_000) })),
      links: Array.from({ length: 9 }, () => ({
        title: "漢".repeat(50),
        url: `https://example.com/${"x".repeat(900)}`,
      })),
      region: "漢".repeat(50),
      account: "漢".repeat(50),
      time: "漢".repeat(50),
    });
    expect(Buffer.byteLength(JSON.stringify(renderTeams(longest)))).to.be.at.most(TEAMS_MAX_BYTES);
  });
});

describe("notification: SNS", () => {
  it("has a subject that SNS takes, whatever the title", () => {
    for (const title of ["plain", "Ä\u202e\n漢", "x".repeat(200)]) {
      const { Subject, Message, MessageStructure } = snsNotice({ title, severity: "warning" });
      expect(Subject).to.match(/^\[Warning\] [\x20-\x7e]{1,90}$/);
      expect(MessageStructure).to.equal("json");
      const messages = JSON.parse(Message);
      expect(Object.keys(messages)).to.deep.equal(["default", "email"]);
      expect(JSON.parse(messages.default).title).to.equal(makeNotice({ title, severity: "warning" }).title);
      expect(messages.email).to.match(/^.+\n\nSeverity: Warning\n/);
    }
  });
});

describe("notification: text", () => {
  const cases: [string, number, string][] = [
    ["plain", 10, "plain"],
    ["a\r\nb\rc", 10, "a\nb\nc"],
    ["\u0000a\u0007\u202eb\u200b\ufeff", 10, "ab"],
    ["0123456789x", 10, "012345678…"],
    ["01234567😀x", 10, "01234567…"],
    ["\ud800lone\udc00", 10, "lone"],
    ["  padded  ", 10, "padded"],
  ];
  for (const [text, limit, expected] of cases) {
    it(`cleans ${JSON.stringify(text)}`, () => expect(cleanText(text, limit)).to.equal(expected));
  }
  it("puts lines together", () => expect(cleanLine("a\r\nb\u2028c\td", 20)).to.equal("a b c d"));
});
