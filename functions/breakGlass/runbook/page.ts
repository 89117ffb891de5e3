import { Marked, type Tokens } from "marked";
import { escapeHtml } from "../../shared/text/escapeHtml";
import { PAPER_STYLE } from "./paperStyle";
import { whole, wholeAddress } from "./whole";

/**
 * Markdown as one HTML file that needs nothing else: styles inside, no script, no font, no picture from elsewhere, so that it can be read and
 * printed without a network. HTML in the Markdown is shown as text; addresses other than https and places in the page are too.
 *
 * @param title of the page, as text
 */
export function markdownPage(markdownText: string, title: string): string {
  const marked = new Marked({ gfm: true });
  const used = new Map<string, number>();
  const headings: { id: string; text: string }[] = [];
  marked.use({
    renderer: {
      html({ text }: Tokens.HTML | Tokens.Tag) {
        return escapeHtml(text);
      },
      heading({ tokens, depth, text }: Tokens.Heading) {
        const id = slug(text, used);
        const inner = this.parser.parseInline(tokens);
        if (depth === 2) headings.push({ id, text: inner });
        return `<h${depth} id="${id}">${inner}</h${depth}>\n`;
      },
      link({ href, tokens }: Tokens.Link) {
        const plain = this.parser.parseInline(tokens);
        const inner = plain === escapeHtml(href) ? wholeAddress(href).text : plain;
        if (!/^(?:https:\/\/|#)/.test(href)) return inner;
        return `<a href="${escapeHtml(href)}">${inner}</a>`;
      },
      codespan({ text }: Tokens.Codespan) {
        return text.length <= SHORT
          ? `<code class="short">${escapeHtml(text)}</code>`
          : `<code>${whole(text).text}</code>`;
      },
      code({ text }: Tokens.Code) {
        return `<pre><code>${whole(text).text}\n</code></pre>\n`;
      },
      image({ text }: Tokens.Image) {
        return escapeHtml(text);
      },
      table(token: Tokens.Table) {
        // A column to be filled in by hand needs room.
        const isBlank = token.header.map((_, column) =>
          token.rows.every((cells) => cells[column]?.text === ""),
        );
        const inline = (cell: Tokens.TableCell) => this.parser.parseInline(cell.tokens);
        const row = (cells: string[]) => `<tr role="row">${cells.join("")}</tr>`;
        const head = token.header.map(
          (cell, column) =>
            `<th${isBlank[column] ? ' class="blank"' : ""} role="columnheader">${inline(cell)}</th>`,
        );
        const rows = token.rows.map((cells) =>
          row(
            cells.map((cell, column) => {
              // On a phone cells stand below one another: of three and more, each says what it is.
              const heading = token.header.length > 2 ? token.header[column]?.text : "";
              return `<td role="cell"${heading ? ` data-label="${escapeHtml(heading)}"` : ""}>${inline(cell)}</td>`;
            }),
          ),
        );
        const isHeadless = token.header.every((cell) => cell.text === "");
        const thead = isHeadless ? "" : `<thead role="rowgroup">${row(head)}</thead>`;
        return `<div class="stack"><table role="table">${thead}<tbody role="rowgroup">${rows.join("\n")}</tbody></table></div>\n`;
      },
    },
  });
  const body = marked.parse(markdownText, { async: false });
  const contents = headings.map(({ id, text }) => `<li><a href="#${id}">${text}</a></li>`).join("");
  const afterTitle = body.indexOf("</h1>") + "</h1>".length;
  const nav = headings.length > 2 ? `\n<nav aria-label="Contents"><ol>${contents}</ol></nav>` : "";
  return paperPage(title, `${body.slice(0, afterTitle)}${nav}${body.slice(afterTitle)}`);
}

/** Characters up to which a name fits into any column. */
const SHORT = 18;

/** A page for screen and paper around a body that is HTML already. */
export function paperPage(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title>
<style>${PAPER_STYLE}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`;
}

/** An id for a heading, unique in the page, by GitHub's rule. */
function slug(text: string, used: Map<string, number>): string {
  const base =
    text
      .toLowerCase()
      .replace(/[^\p{L}\p{N} -]/gu, "")
      .trim()
      .replaceAll(" ", "-") || "part";
  const count = used.get(base) ?? 0;
  used.set(base, count + 1);
  return count === 0 ? base : `${base}-${count}`;
}
