/**
 * Styles of what is read in an emergency, on a phone or on paper: large type, no meaning in colours, nothing loaded. Sizes are for A4 and
 * Letter alike.
 */
export const PAPER_STYLE = `
:root { color-scheme: light dark; --ink: #111820; --soft: #46525f; --line: #8b96a3; --wash: #eef1f4; --page: #fff; }
@media screen and (prefers-color-scheme: dark) {
  :root { --ink: #e9eef4; --soft: #b3bfcc; --line: #5c6875; --wash: #1c2530; --page: #10161d; }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--page); color: var(--ink); overflow-wrap: anywhere;
  font: 17px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main { max-width: 54rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 1rem; }
h2 { font-size: 1.4rem; line-height: 1.25; margin: 2.6rem 0 .7rem; padding-top: .6rem; border-top: 3px solid var(--ink); }
h3 { font-size: 1.12rem; margin: 1.6rem 0 .4rem; }
p, ul, ol { margin: .6rem 0; }
li + li { margin-top: .3rem; }
a { color: inherit; text-underline-offset: .15em; }
nav ol { columns: 2; column-gap: 2rem; padding-left: 1.4rem; margin: 1rem 0 1.4rem; }
code, pre, .value { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
code { font-size: .9em; background: var(--wash); padding: .08em .25em; border-radius: 3px; }
pre { background: var(--wash); border: 1px solid var(--line); border-radius: 4px; padding: .7rem .85rem; font-size: .84rem; line-height: 1.45; white-space: pre-wrap; margin: .6rem 0; }
pre code { font-size: inherit; background: none; padding: 0; }
.stack { margin: .8rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .94rem; }
th, td { text-align: left; vertical-align: top; border: 1px solid var(--line); padding: .45rem .6rem; }
code.short, .whole, time { white-space: nowrap; }
th.blank { width: 26%; }
td:empty { height: 2.1rem; }
th { background: var(--wash); overflow-wrap: normal; }
td:first-child { overflow-wrap: break-word; }
table + table { margin-top: .8rem; }
.address { font-size: .88em; font-weight: 700; }
.lead { font-size: 1.12rem; }
.soft { color: var(--soft); }
.box { border: 3px solid var(--ink); padding: .8rem 1rem; margin: 1rem 0; }
.box > :first-child { margin-top: 0; }
.box > :last-child { margin-bottom: 0; }
.value { font-size: 1.15rem; font-weight: 700; }
ol.steps { list-style: none; padding: 0; counter-reset: step; }
ol.steps > li { counter-increment: step; position: relative; padding: 0 0 0 3rem; margin: 1rem 0; }
ol.steps > li::before {
  content: counter(step); position: absolute; left: 0; top: .05rem; width: 2.1rem; height: 2.1rem; border: 2px solid var(--ink);
  border-radius: 50%; display: grid; place-items: center; font-weight: 700;
}
.line { display: inline-block; min-width: 14rem; border-bottom: 1.5px solid var(--ink); height: 1.6rem; vertical-align: bottom; }
pre.letter { font-size: .8rem; line-height: 1.3; overflow-wrap: anywhere; }
@media screen and (max-width: 640px) {
  main { padding: 1.2rem 1rem 3rem; }
  h1 { font-size: 1.6rem; }
  nav ol { columns: 1; }
  table { font-size: .88rem; }
  th, td { padding: .4rem .5rem; }
  .line { min-width: 9rem; }
  .value { font-size: 1rem; }
  ol.steps > li { padding-left: 2.7rem; }
  table.keep :is(tbody, tr, th, td), .stack :is(table, tbody, tr, td) { display: block; }
  table.keep tr, .stack tr { margin-bottom: .8rem; }
  .stack thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .stack td + td { border-top: 0; }
  .stack td:first-child { background: var(--wash); }
  .stack td[data-label]::before { content: attr(data-label) ": "; font-weight: 700; }
}
@media print {
  @page { margin: 16mm 17mm; }
  :root { color-scheme: light; --ink: #000; --soft: #222; --line: #555; --wash: #f2f2f2; --page: #fff; }
  body { font-size: 12.5pt; line-height: 1.4; }
  main { max-width: none; padding: 0; }
  h1 { font-size: 22pt; }
  h2 { font-size: 16pt; margin-top: 1.4rem; }
  h3 { font-size: 13.5pt; }
  h1, h2, h3 { break-after: avoid; }
  a { text-decoration: none; }
  pre, tr, .box, ol.steps > li { break-inside: avoid; }
  pre { font-size: 9.5pt; margin: .4rem 0; padding: .5rem .7rem; }
  ol.steps > li { margin: .6rem 0; }
  td > a { font-size: 9.5pt; }
  pre.letter { break-before: page; break-inside: auto; font-size: 9pt; }
  table { font-size: 11pt; }
  .page { break-before: page; }
}
`;
