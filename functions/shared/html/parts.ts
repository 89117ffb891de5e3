import { type Content, type Html, html } from "./html";

/** A section with its heading, by which readers name it: `#h-ID`. */
export function section(id: string, title: string, content: Content): Html {
  return html`<section aria-labelledby="h-${id}"><h2 id="h-${id}">${title}</h2>
${content}</section>`;
}

/** A column of a table: its heading, and the class that gives it its width. */
export interface Column {
  title: Content;
  className?: string;
}

/**
 * A table named by the heading of its section. Roles are spelt out, since style sheets that lay it out as
 * cards on a phone would take them away.
 * @param bodies `tbody` elements.
 */
export function table(id: string, columns: readonly Column[], bodies: Content): Html {
  return html`<table class="${id}" role="table" aria-labelledby="h-${id}">
<thead role="rowgroup"><tr role="row">${columns.map(
    ({ title, className = "" }) =>
      html`<th class="${className}" scope="col" role="columnheader">${title}</th>`,
  )}</tr></thead>
${bodies}
</table>`;
}

/** A cell that holds data. */
export function cell(content: Content, className = ""): Html {
  return html`<td class="${className}" role="cell">${content}</td>`;
}

/** The cell that names its row. */
export function rowHead(content: Content, className = ""): Html {
  return html`<th class="${className}" scope="row" role="rowheader">${content}</th>`;
}

/** Where something was. */
export function regionChip(region: string): Html {
  return html`<span class="region">${region}</span>`;
}
