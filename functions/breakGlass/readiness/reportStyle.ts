import { PAGE_STYLE } from "../../shared/html/pageStyle";

/** The readiness report's style sheet: the common one, and what only this page has. */
export const REPORT_STYLE = `${PAGE_STYLE}
.figures dd.when { font-size: 16px; line-height: 1.4; padding: 5px 0 2px; }
h2 ~ .open { margin-top: 16px; }
code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: 12.5px; }
.detail { font-size: 14px; color: var(--soft); margin-top: 2px; }
.open { list-style: none; padding: 0; margin-bottom: 0; display: grid; gap: 14px; }
.open > li { border-left: 4px solid var(--idle); padding: 2px 0 2px 14px; min-width: 0; }
.open > li.failed { border-color: var(--bad); }
.open .what code { color: var(--soft); margin-left: 4px; }
.open .failed .found, li.failed .found { color: var(--bad); }
.open pre {
  white-space: pre-wrap; background: var(--wash); border-radius: 8px; padding: 9px 12px; margin-top: 7px; user-select: all;
}
section > table { table-layout: fixed; }
.subject { width: 38%; }
.result { width: 122px; }
tr.requirement th { padding: 20px 0 8px; border-bottom: 2px solid var(--line); font-weight: 650; }
tbody:first-of-type tr.requirement th { padding-top: 12px; }
tr.requirement span { display: block; font-weight: 400; font-size: 13px; color: var(--soft); margin-top: 2px; }
tr.row th { font-weight: 500; }
tr.row.failed .finding { color: var(--bad); }
@media screen and (max-width: 760px) {
  section > table thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  section > table, section > table tbody, section > table tr, section > table th, section > table td {
    display: block; width: auto; padding: 0; border: 0;
  }
  section > table .subject, section > table .result { width: auto; }
  section > table tr.requirement th { padding: 20px 0 7px; border-bottom: 2px solid var(--line); }
  section > table tr.row {
    display: grid; grid-template-columns: minmax(0, 1fr) max-content; gap: 3px 10px; padding: 10px 0;
    border-bottom: 1px solid var(--line);
  }
  section > table tr.row > .finding { grid-column: 1 / -1; font-size: 14px; }
}
@media print {
  .figures { margin: 14px 0; border: 1px solid var(--line); grid-template-columns: repeat(4, 1fr); }
  .figures dd.when { font-size: 12px; }
  .pill, .figures dt, .detail, tr.requirement span { font-size: 10.5px; }
  code, pre { font-size: 10px; }
  /* A requirement stays with its rows, unless they are many, and a list with what leads to it. */
  .open > li, tr.requirement, tbody:not(:has(tr:nth-child(9))) { break-inside: avoid; }
  tr.requirement, h2, h2 + p { break-after: avoid; }
}
`;
