/**
 * What the pages that this program writes have in common: colours, headings, cards, tables, verdicts. Colours are variables, once for light,
 * once for dark; paper is always light.
 */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --page: #f3f5f8; --card: #ffffff; --ink: #16202e; --soft: #55627a; --line: #dde3ec; --wash: #f5f7fa;
  --good: #14734a; --good-wash: #e2f4ea; --bad: #b3261e; --bad-wash: #fdeae8;
  --idle: #5d687c; --idle-wash: #eceff4;
  --lost: #9a3412; --lost-wash: #fdebd9; --lost-line: #e0884a; --mail: #5b3fc4;
  --link: #1d4ed8; --on: #ffffff;
  --shadow: 0 1px 2px rgb(22 32 46 / .06), 0 8px 24px rgb(22 32 46 / .06);
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --page: #0d131c; --card: #151d29; --ink: #e7ecf4; --soft: #a3afc2; --line: #2a3546; --wash: #1b2533;
    --good: #5fd39b; --good-wash: #123526; --bad: #ff9a92; --bad-wash: #43191a;
    --idle: #a8b3c5; --idle-wash: #263143;
    --lost: #ffb27d; --lost-wash: #3a2415; --lost-line: #a65a24; --mail: #b8a5ff;
    --link: #9dbbff; --on: #0b1119;
    --shadow: none;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans",
    Arial, sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere;
}
main, header.hero > div, footer { max-width: 1160px; margin: 0 auto; padding: 0 24px; }
h1, h2, h3, p, dl, dd, table, pre { margin: 0; }
a { color: var(--link); }
a:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 4px; }
.skip { position: absolute; left: -999px; }
.skip:focus { left: 12px; top: 12px; background: var(--card); padding: 8px 12px; z-index: 1; }

header.hero {
  color: #fff; padding: 30px 0 84px;
  background: linear-gradient(115deg, #0b2239 0%, #0f3a4f 48%, #12604c 100%);
}
header.hero.failed { background: linear-gradient(115deg, #2a0f17 0%, #5c1620 55%, #8c1d18 100%); }
header.hero.stopped { background: linear-gradient(115deg, #1a2230 0%, #364152 55%, #4f5b6e 100%); }
.brand {
  display: flex; align-items: center; gap: 10px; font-weight: 600; letter-spacing: .01em; opacity: .95;
}
.brand svg { width: 26px; height: 26px; flex: none; }
h1 {
  font-size: clamp(26px, 4.4vw, 40px); line-height: 1.15; letter-spacing: -.02em; margin: 22px 0 18px;
  max-width: 26ch; text-wrap: balance;
}
.icon path {
  fill: none; stroke: currentColor; stroke-width: 2.4; stroke-linecap: round; stroke-linejoin: round;
}
.icon path.flood { fill: currentColor; stroke: none; opacity: .5; }
.verdict {
  display: inline-flex; align-items: center; gap: 9px; padding: 5px 15px 5px 7px; border-radius: 99px;
  font-weight: 700; background: #fff; color: #0c5a38;
}
.failed .verdict { color: #97170f; }
.stopped .verdict { color: #333f50; }
.verdict svg { width: 22px; height: 22px; }
.lead { font-size: 17px; max-width: 68ch; margin-top: 14px; color: #eef4f8; text-wrap: pretty; }

.figures {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 1px;
  margin: -54px 0 28px; background: var(--line); border-radius: 14px; overflow: hidden;
  box-shadow: var(--shadow);
}
.figures > div {
  background: var(--card); padding: 16px 20px; display: flex; flex-direction: column-reverse;
  justify-content: flex-end;
}
.figures dt { color: var(--soft); font-size: 13px; line-height: 1.35; }
.figures dd { font-size: 25px; font-weight: 680; letter-spacing: -.02em; line-height: 1.25; }

section {
  background: var(--card); border-radius: 14px; box-shadow: var(--shadow); padding: 24px;
  margin-bottom: 22px;
}
h2 { font-size: 19px; letter-spacing: -.01em; line-height: 1.3; }
h2 + p { color: var(--soft); margin-top: 3px; max-width: 78ch; }
h2 ~ table, h2 ~ .mails, h2 ~ .two, h2 ~ .bars { margin-top: 16px; }
.none { color: var(--soft); margin-top: 10px; }
.two {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 330px), 1fr)); gap: 22px;
  align-items: start;
}
.two > section { margin: 0; }
.pair {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 22px;
  align-items: stretch; margin-bottom: 22px;
}
.pair > section { margin: 0; }

table { width: 100%; border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: 10px 12px; border-bottom: 1px solid var(--line); }
thead th {
  overflow-wrap: normal; font-size: 12.5px; font-weight: 600; color: var(--soft); padding-top: 4px;
  padding-bottom: 7px;
}
tbody:last-child tr:last-child > * { border-bottom: 0; }
th:first-child, td:first-child { padding-left: 0; }
th:last-child, td:last-child { padding-right: 0; }
td.n, th.n { text-align: right; }
tbody th { font-weight: 600; }
.pill {
  display: inline-flex; align-items: center; gap: 6px; font-size: 13px; font-weight: 650;
  border-radius: 99px; padding: 1px 11px 1px 8px; white-space: nowrap;
}
.pill.passed { color: var(--good); background: var(--good-wash); }
.pill.failed, .pill.mandatory { color: var(--bad); background: var(--bad-wash); }
.pill.skipped, .pill.advisory { color: var(--idle); background: var(--idle-wash); }
.pill svg { width: 12px; height: 12px; flex: none; }

.facts {
  display: grid; grid-template-columns: fit-content(40%) minmax(0, 1fr); gap: 7px 22px; margin-top: 14px;
}
.facts dt { color: var(--soft); }
footer { color: var(--soft); font-size: 13px; padding-bottom: 36px; }
@media screen and (max-width: 760px) {
  main, header.hero > div, footer { padding: 0 16px; }
  section { padding: 18px 16px; border-radius: 12px; }
  .figures { grid-template-columns: 1fr 1fr; }
  .figures > div { padding: 13px 16px; }
  .figures > div:last-child:nth-child(odd) { grid-column: 1 / -1; }
  .figures dd { font-size: 21px; }
  .facts { grid-template-columns: minmax(0, 1fr); gap: 0; }
  .facts dd { margin-bottom: 9px; }
}
@media print {
  @page { margin: 14mm; }
  body { background: #fff; font-size: 11.5px; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  main, header.hero > div, footer { max-width: none; }
  main, footer { padding: 0; }
  header.hero { padding: 22px 0 26px; border-radius: 10px; }
  .figures > div { padding: 10px 12px; }
  .figures dd { font-size: 17px; }
  td, th { padding-top: 6px; padding-bottom: 6px; }
  section, .figures { box-shadow: none; }
  section { padding: 8px 0; }
  tr, .figures { break-inside: avoid; }
  h2 { break-after: avoid; }
  .skip { display: none; }
}
`;
