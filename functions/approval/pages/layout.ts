import { createHash } from "node:crypto";
import { type Content, type Html, html, Html as RawHtml } from "../../shared/html/html";
import { MARK } from "../../shared/html/mark";
import { PAGE_STYLE } from "../../shared/html/pageStyle";
import type { Language } from "../directory/document";
import { FORM_STYLE } from "./formStyle";
import { type Say, sayIn } from "./words";

const STYLE = `${PAGE_STYLE}${FORM_STYLE}`;

/**
 * What a browser may do with a page: take the one style sheet in it, and send forms back to where they came from. Nothing else: no script, no
 * picture, no frame, nothing of another host.
 */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join("; ");

/** What every page needs. */
export interface PageContext {
  readonly language: Language;
  /** The page's own address without `lang`, relative: `decide?link=...`; for the switch of languages. */
  readonly self: string;
  /** Name of the cell and its region. */
  readonly cell: string;
  readonly region: string;
  /** Who is signed in. */
  readonly signedIn?: { readonly name: string; readonly csrf: string };
}

/** The colour of a page's head: what goes on, what is over, what went wrong. */
export type Tone = "going" | "over" | "wrong";

const TONE_CLASSES: Record<Tone, string> = { going: "", over: "stopped", wrong: "failed" };
const OTHER: Record<Language, Language> = { en: "zh", zh: "en" };
const LANGUAGE_TAGS: Record<Language, string> = { en: "en", zh: "zh-Hans" };

/** A page around its content. */
export function page(
  context: PageContext,
  { title, lead, tone = "going", body = "" }: { title: string; lead?: string; tone?: Tone; body?: Content },
): Html {
  const { language, cell, region, self, signedIn } = context;
  const say = sayIn(language);
  const other = OTHER[language];
  return html`<!doctype html>
<html lang="${LANGUAGE_TAGS[language]}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<meta name="referrer" content="no-referrer">
<title>${title} · Bulkhead</title>
<style>${new RawHtml(STYLE)}</style>
</head>
<body>
<a class="skip" href="#content">${say("skip")}</a>
<header class="hero approval ${TONE_CLASSES[tone]}"><div>
<div class="bar"><span class="brand">${MARK} Bulkhead</span>
<a class="switch" href="${withLanguage(self, other)}" hreflang="${LANGUAGE_TAGS[other]}" lang="${LANGUAGE_TAGS[other]}">${say("otherLanguage")}</a></div>
<h1>${title}</h1>
${lead !== undefined && html`<p class="lead">${lead}</p>`}
</div></header>
<main id="content">
${signedIn && signedInBar(signedIn, say, language)}
${body}
</main>
<footer>${say("sentBy", { cell, region })}</footer>
</body>
</html>
`;
}

function signedInBar({ name, csrf }: { name: string; csrf: string }, say: Say, language: Language): Html {
  return html`<form class="signed-in" method="post" action="sign-out">
<span>${say("signedInAs", { name })}</span>
<input type="hidden" name="csrf" value="${csrf}"><input type="hidden" name="lang" value="${language}">
<button class="plain" type="submit">${say("signOut")}</button></form>`;
}

/** An address with another language. */
export function withLanguage(address: string, language: Language): string {
  return `${address}${address.includes("?") ? "&" : "?"}lang=${language}`;
}
