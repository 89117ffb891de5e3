import { details, SEVERITY_WORDS } from "../../shared/notice/details";
import type { Notice, Severity } from "../../shared/notice/notice";

/** Slack's limits (Block Kit reference): characters of a text after escaping, fields of a section, blocks of a message. */
export const SLACK_LIMITS = {
  header: 150,
  section: 3_000,
  field: 2_000,
  fields: 10,
  fallback: 3_000,
  blocks: 50,
} as const;

/** Sections that a text may take: a report of many lines goes on in a second one, but must not bury the facts. */
const TEXT_SECTIONS = 6;

const SIGNS: Record<Severity, string> = { info: "ℹ️", warning: "⚠️", critical: "🚨" };

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };
const entityOf = (character: string) => ENTITIES[character] ?? character;

/**
 * Text in Slack's mark-up: the three characters that start mentions, channels and links are escaped, and the result, not the text, is what is
 * cut to the limit, never through an entity or a surrogate pair.
 */
export function slackText(text: string, limit: number): string {
  let result = "";
  for (const character of text) {
    const next = entityOf(character);
    // Room is left for the ellipsis.
    if (result.length + next.length > limit - 1) return `${result}…`;
    result += next;
  }
  return result;
}

// verbatim: addresses and names in the text stay text, they are not turned into links or mentions.
const markdown = (text: string) => ({ type: "mrkdwn", text, verbatim: true });
const plain = (text: string) => ({ type: "plain_text", text, emoji: false });

/** In a link's address, what would end it. */
function slackUrl(url: string): string {
  return url.replace(/[<>|]/g, (character) => encodeURIComponent(character)).replace(/&/g, "&amp;");
}

/** Cut by characters, not through a surrogate pair: plain text is not escaped. */
function cut(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}

/** A long text in parts that each fit into a section, cut between lines; only a single line that is too long is cut itself. */
function textSections(text: string): string[] {
  const parts: string[] = [];
  for (const line of text === "" ? [] : text.split("\n")) {
    const last = parts.at(-1);
    const joined = last === undefined ? line : `${last}\n${line}`;
    const isRoomy = slackText(joined, Number.POSITIVE_INFINITY).length < SLACK_LIMITS.section;
    if (last !== undefined && (isRoomy || parts.length === TEXT_SECTIONS)) parts[parts.length - 1] = joined;
    else parts.push(line);
  }
  // Slack refuses a section without text.
  return parts.filter((part) => part.trim() !== "");
}

/** A notice as the body of Slack's incoming webhook. Nothing in it can mention people or channels or hide a link. */
export function renderSlack(notice: Notice): Record<string, unknown> {
  const heading = `${SIGNS[notice.severity]} ${notice.title}`;
  const blocks: unknown[] = [{ type: "header", text: plain(cut(heading, SLACK_LIMITS.header)) }];
  for (const part of textSections(notice.text)) {
    blocks.push({ type: "section", text: markdown(slackText(part, SLACK_LIMITS.section)) });
  }
  const facts = details(notice);
  for (let start = 0; start < facts.length; start += SLACK_LIMITS.fields) {
    const fields = facts
      .slice(start, start + SLACK_LIMITS.fields)
      .map(({ label, value }) => markdown(slackText(`${label}\n${value}`, SLACK_LIMITS.field)));
    blocks.push({ type: "section", fields });
  }
  for (const { title, url } of notice.links) {
    const link = `<${slackUrl(url)}|${slackText(title, 200)}>`;
    // A cut address would lead elsewhere: one that got too long by escaping is left out.
    if (link.length <= SLACK_LIMITS.section) blocks.push({ type: "section", text: markdown(link) });
  }
  return {
    // Shown where blocks are not, as in notifications.
    text: slackText(`${SEVERITY_WORDS[notice.severity]}: ${notice.title}`, SLACK_LIMITS.fallback),
    blocks: blocks.slice(0, SLACK_LIMITS.blocks),
  };
}
