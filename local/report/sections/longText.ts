import { stripVTControlCharacters } from "node:util";
import { type Html, html } from "../../../functions/shared/html/html";

/** A text of more lines than this is folded: its first line is shown, the others on demand. */
const SHOWN_LINES = 5;

/** A text of the run with its line ends; without the colours of a terminal. Undefined: there is none. */
export function longText(text: string | undefined): Html | undefined {
  const lines = stripVTControlCharacters(text ?? "")
    .trim()
    .split("\n");
  const [first, ...rest] = lines;
  if (!first) return undefined;
  if (lines.length <= SHOWN_LINES) return html`<span class="lines">${lines.join("\n")}</span>`;
  return html`<span>${first}</span><details><summary>${rest.length} more lines</summary><pre>${rest.join("\n")}</pre></details>`;
}
