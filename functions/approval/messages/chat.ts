/** Messages for chats: everything that a mail has, and in Slack the buttons to decide. */
import { SLACK_LIMITS, slackText } from "../../notification/render/slack";
import { TEAMS_MAX_BYTES } from "../../notification/render/teams";
import { buttonValue, SLACK_REASON } from "../http/slack";
import type { RequestView } from "../pages/view";
import type { Say } from "../pages/words";
import type { SummaryPart } from "./renderMail";
import { summaryOf } from "./summary";

/** A chat message about a request. */
export interface ChatMessage {
  /** One line: what it is. */
  readonly title: string;
  readonly view: RequestView;
  /** Where those who sign in find the request; absent where acting needs the personal link of a mail. */
  readonly link?: string;
  /** The level that is asked, if the message asks for approval. */
  readonly asksLevel?: number;
}

// verbatim: addresses and names stay text, they become no links and no mentions.
const markdown = (text: string) => ({ type: "mrkdwn", text, verbatim: true });
const plain = (text: string, limit: number) => ({
  type: "plain_text",
  text: text.length <= limit ? text : `${text.slice(0, limit - 1).replace(/[\ud800-\udbff]$/, "")}…`,
  emoji: false,
});
const section = (text: string) => ({
  type: "section",
  text: markdown(slackText(text, SLACK_LIMITS.section)),
});

/**
 * A message for Slack's incoming webhook. With `buttons`, of an app whose interactivity leads to the pages' `/slack`: whoever is asked approves or
 * denies in Slack, with the reason typed into the message.
 */
export function slackMessage(
  { title, view, link, asksLevel }: ChatMessage,
  say: Say,
  { buttons }: { readonly buttons: boolean },
): Record<string, unknown> {
  const acts = buttons && asksLevel !== undefined;
  const ask = asksLevel === undefined ? [] : [say(acts ? "chatOnlyAsked" : "chatPersonalLinks")];
  const blocks: unknown[] = [
    { type: "header", text: plain(title, SLACK_LIMITS.header) },
    ...summaryOf(view, say).map(({ title: heading, lines }) =>
      section([heading, ...lines.map(({ label, value }) => `• ${label}: ${value}`)].join("\n")),
    ),
    ...ask.map(section),
    // A link's address is ours and holds nothing that would have to be escaped but `&`.
    ...(link === undefined
      ? []
      : [
          {
            type: "section",
            text: markdown(`<${link.replace(/&/g, "&amp;")}|${slackText(say("mailOpen"), 200)}>`),
          },
        ]),
    ...(acts ? actionBlocks(view, asksLevel, say) : []),
  ];
  return { text: slackText(title, SLACK_LIMITS.fallback), blocks: blocks.slice(0, SLACK_LIMITS.blocks) };
}

function actionBlocks(view: RequestView, level: number, say: Say): unknown[] {
  const value = buttonValue(view.id, level, view.seen);
  const button = (choice: "approve" | "deny") => {
    const approves = choice === "approve";
    return {
      type: "button",
      action_id: choice,
      style: approves ? "primary" : "danger",
      text: plain(say(approves ? "chooseApprove" : "chooseDeny"), 75),
      value,
      confirm: {
        title: plain(say(approves ? "chatSureApprove" : "chatSureDeny"), 100),
        text: plain(`${view.operation}: ${view.account}. ${say("chatSureNote")}`, 300),
        confirm: plain(say(approves ? "chooseApprove" : "chooseDeny"), 30),
        deny: plain(say("chatBack"), 30),
        style: approves ? "primary" : "danger",
      },
    };
  };
  return [
    {
      type: "input",
      block_id: SLACK_REASON.block,
      optional: true,
      label: plain(say("denyReason"), 2_000),
      element: {
        type: "plain_text_input",
        action_id: SLACK_REASON.action,
        multiline: true,
        max_length: 1_000,
      },
    },
    { type: "actions", block_id: "decision", elements: [button("approve"), button("deny")] },
  ];
}

// Text runs are shown as they are; a TextBlock would read Markdown, in which foreign text could hide links.
const runs = (...inlines: Record<string, unknown>[]) => ({
  type: "RichTextBlock",
  inlines: inlines.map((inline) => ({ type: "TextRun", ...inline })),
});

/**
 * A message for the webhook of a Teams workflow: an adaptive card with the full summary and a link.
 *
 * Teams tells a workflow's webhook nothing of who clicks, so nobody can act from such a card: Universal Actions need a bot that is registered
 * with Azure. The link leads to the sign-in, or the text points to the mails.
 */
export function teamsMessage(
  { title, view, link, asksLevel }: ChatMessage,
  say: Say,
): Record<string, unknown> {
  const parts = summaryOf(view, say);
  for (let limit = 1_000; limit >= 1; limit = Math.floor(limit / 2)) {
    const card = teamsCard(title, parts, limit, link, asksLevel !== undefined && link === undefined, say);
    if (Buffer.byteLength(JSON.stringify(card)) <= TEAMS_MAX_BYTES) return card;
  }
  return teamsCard(title, parts.slice(0, 1), 100, link, asksLevel !== undefined, say);
}

function teamsCard(
  title: string,
  parts: readonly SummaryPart[],
  limit: number,
  link: string | undefined,
  pointsToMails: boolean,
  say: Say,
): Record<string, unknown> {
  const cut = (text: string) =>
    text.length <= limit ? text : `${text.slice(0, limit).replace(/[\ud800-\udbff]$/, "")}…`;
  const body = [
    runs({ text: title, size: "Large", weight: "Bolder" }),
    ...parts.flatMap(({ title: heading, lines }) => [
      runs({ text: heading, weight: "Bolder", color: "Accent" }),
      ...lines.map(({ label, value }) =>
        runs({ text: `${label}: `, weight: "Bolder" }, { text: cut(value) }),
      ),
    ]),
    ...(pointsToMails ? [runs({ text: say("chatPersonalLinks") })] : []),
  ];
  return {
    type: "message",
    attachments: [
      {
        contentType: "application/vnd.microsoft.card.adaptive",
        contentUrl: null,
        content: {
          $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
          type: "AdaptiveCard",
          version: "1.4",
          msteams: { width: "Full" },
          body,
          actions: link === undefined ? [] : [{ type: "Action.OpenUrl", title: say("mailOpen"), url: link }],
        },
      },
    ],
  };
}
