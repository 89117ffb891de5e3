import type { Mail } from "../../shared/mail/mail";
import { details, SEVERITY_WORDS } from "../../shared/notice/details";
import type { Notice, Severity } from "../../shared/notice/notice";
import { noticeText } from "../../shared/notice/noticeText";
import { cleanLine } from "../../shared/text/cleanText";
import { escapeHtml } from "../../shared/text/escapeHtml";

const SUBJECT_LIMIT = 200;
const COLOURS: Record<Severity, string> = { info: "#1f5fa8", warning: "#9a5b00", critical: "#b3141e" };

/** A notice as mail, in HTML and, with the same content, as text. Everything in it is escaped; links are those of the notice, nothing else. */
export function renderMail(notice: Notice, id: string): Mail {
  const subject = cleanLine(`[${SEVERITY_WORDS[notice.severity]}] ${notice.title}`, SUBJECT_LIMIT);
  return { id: id.replace(/[^A-Za-z0-9-]/g, "-"), subject, text: noticeText(notice), html: html(notice) };
}

// Tables and inline styles: what mail programs agree on.
function html(notice: Notice): string {
  const rows = details(notice).map(
    ({ label, value }) =>
      `<tr><th align="left" valign="top" style="padding:4px 16px 4px 0;color:#57606a;font-weight:normal;white-space:nowrap">${escapeHtml(label)}</th>` +
      `<td valign="top" style="padding:4px 0;word-break:break-word">${escapeHtml(value)}</td></tr>`,
  );
  const paragraphs = notice.text
    .split(/\n{2,}/)
    .filter((paragraph) => paragraph !== "")
    .map((paragraph) => `<p style="margin:0 0 12px">${escapeHtml(paragraph).replace(/\n/g, "<br>")}</p>`);
  const links = notice.links.map(
    ({ title, url }) => `<p style="margin:0 0 8px"><a href="${escapeHtml(url)}">${escapeHtml(title)}</a></p>`,
  );
  const colour = COLOURS[notice.severity];
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    `<title>${escapeHtml(notice.title)}</title></head>`,
    '<body style="margin:0;padding:24px;background:#f3f4f6;color:#1f2328;font:15px/1.5 system-ui,sans-serif">',
    `<div style="max-width:640px;margin:0 auto;padding:24px;background:#fff;border-top:4px solid ${colour}">`,
    `<p style="margin:0;color:${colour};font-weight:bold">${SEVERITY_WORDS[notice.severity]}</p>`,
    `<h1 style="margin:4px 0 16px;font-size:20px;line-height:1.3">${escapeHtml(notice.title)}</h1>`,
    ...paragraphs,
    rows.length > 0 ? `<table role="presentation" style="border-collapse:collapse;margin:0 0 16px">` : "",
    ...rows,
    rows.length > 0 ? "</table>" : "",
    ...links,
    '<p style="margin:16px 0 0;color:#57606a;font-size:13px">Sent by Bulkhead.</p>',
    "</div></body></html>",
  ].join("\n");
}
