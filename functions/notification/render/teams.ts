import { details, SEVERITY_WORDS } from "../../shared/notice/details";
import type { Notice, Severity } from "../../shared/notice/notice";

/**
 * Bytes of a message, as JSON in UTF-8. Teams takes 28 KB, and counts two bytes a character in places; this stays below either way for text
 * in Latin script and below 28 KB for any.
 */
export const TEAMS_MAX_BYTES = 13_000;

const COLOURS: Record<Severity, string> = { info: "Accent", warning: "Warning", critical: "Attention" };

// RichTextBlock, not TextBlock: text runs are shown as they are, whereas a TextBlock reads Markdown, in which foreign text could hide links.
const runs = (...inlines: Record<string, unknown>[]) => ({
  type: "RichTextBlock",
  inlines: inlines.map((inline) => ({ type: "TextRun", ...inline })),
});

interface Content {
  text: string;
  facts: { label: string; value: string }[];
}

function message(notice: Notice, { text, facts }: Content): Record<string, unknown> {
  const body = [
    runs({ text: SEVERITY_WORDS[notice.severity], color: COLOURS[notice.severity], weight: "Bolder" }),
    runs({ text: notice.title, size: "Large", weight: "Bolder" }),
    ...(text === "" ? [] : text.split("\n").map((line) => runs({ text: line }))),
    ...facts.map(({ label, value }) => runs({ text: `${label}: `, weight: "Bolder" }, { text: value })),
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
          actions: notice.links.map(({ title, url }) => ({ type: "Action.OpenUrl", title, url })),
        },
      },
    ],
  };
}

const bytes = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

/** At most `limit` characters, in whole code points. */
function cut(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit).replace(/[\ud800-\udbff]$/, "")}…`;
}

/**
 * A notice as an adaptive card, in the form that a Teams workflow's webhook takes. Too long a one is shortened: every text to the same
 * length, halved until the card fits, and in the end no texts; what happened, where and when, and the links always stay.
 */
export function renderTeams(notice: Notice): Record<string, unknown> {
  const lines = notice.text.split("\n").filter((line) => line !== "");
  for (let limit = 4_000; limit >= 1; limit = Math.floor(limit / 2)) {
    const rendered = message(notice, {
      // A block for each line: too many of them cost bytes too.
      text: cut(lines.slice(0, 40).join("\n"), limit),
      facts: details(notice).map(({ label, value }) => ({ label, value: cut(value, limit) })),
    });
    if (bytes(rendered) <= TEAMS_MAX_BYTES) return rendered;
  }
  return message(notice, { text: "", facts: details({ ...notice, lines: [] }) });
}
