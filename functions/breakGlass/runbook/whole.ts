import { type Html, html } from "../../shared/html/html";

/** Characters up to which a word fits into any line that it stands in, a phone's too. */
const LONGEST = 30;

/**
 * Text in which words with hyphens are not broken at these: whoever types from paper cannot tell a hyphen at a line's end from one that is part
 * of the name. Longer words are broken all the same, rather than cut off.
 */
export function whole(text: string): Html {
  const parts = text.split(/(\s+)/);
  return html`${parts.map((part) => (part.includes("-") && part.length <= LONGEST ? html`<span class="whole">${part}</span>` : part))}`;
}

/** A sign-in address that is broken, where a line is too short for it, after the account and before the page, and nowhere in a name. */
export function wholeAddress(url: string): Html {
  const parts = /^(https:\/\/\d+\.)([^/]+\/)(\S+)$/.exec(url)?.slice(1) ?? [url];
  if (parts.length === 1) return html`${url}`;
  return html`${parts.map((part, index) => html`${index > 0 && html`<wbr>`}<span class="whole">${part}</span>`)}`;
}
