/** The report's style sheet. Colours are variables, once for light, once for dark; paper is always light. */
export const STYLE = `
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

svg.timeline { display: block; width: 100%; height: auto; margin-top: 18px; overflow: visible; }
svg.tall { display: none; }
.timeline text { fill: var(--ink); font-size: 12px; }
.timeline .lane { fill: var(--wash); }
.timeline .lane-name { font-size: 13px; font-weight: 650; }
.timeline .lane-note, .timeline .tick, .timeline .phase-time { fill: var(--soft); font-size: 11.5px; }
.timeline .phase line { stroke: var(--soft); stroke-width: 1.5; opacity: .55; }
.timeline .phase-head { fill: var(--line); }
.timeline .phase-name { font-size: 12.5px; font-weight: 650; }
.timeline .end { text-anchor: end; }
.timeline .middle { text-anchor: middle; }
.timeline .bar rect { stroke: transparent; stroke-width: 1.5; }
.timeline .bar text { fill: var(--on); }
.timeline .bar .number { font-weight: 700; }
.timeline .bar.passed rect, .key.passed { fill: var(--good); }
.timeline .bar.failed rect, .key.failed { fill: var(--bad); }
.timeline .bar.skipped rect, .key.skipped {
  fill: var(--card); stroke: var(--idle); stroke-width: 1.5; stroke-dasharray: 4 3;
}
.timeline .bar.skipped text { fill: var(--ink); }
.timeline .bar:hover rect { stroke: var(--ink); }
.timeline .outage rect, .key.lost { fill: var(--lost-wash); }
.timeline .outage rect.hatch { fill: url(#hatch); }
.timeline .outage text { fill: var(--lost); font-weight: 650; font-size: 11.5px; }
.timeline .outage-edge { stroke: var(--lost-line); stroke-width: 1.5; stroke-dasharray: 5 4; }
#hatch path { stroke: var(--lost-line); stroke-width: 2; opacity: .38; }
.mail rect { fill: var(--mail); stroke: var(--card); stroke-width: 1.5; }
.mail path {
  fill: none; stroke: var(--on); stroke-width: 1.5; stroke-linecap: round; stroke-linejoin: round;
}
.legend {
  display: flex; flex-wrap: wrap; gap: 6px 20px; list-style: none; margin: 16px 0 0; padding: 0;
  font-size: 13px; color: var(--soft);
}
.legend li { display: inline-flex; align-items: center; gap: 7px; }
.legend svg { width: 18px; height: 14px; flex: none; }
.note { font-size: 13px; color: var(--soft); margin-top: 8px; }

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
.calls { table-layout: fixed; }
.calls th:first-child { width: 30%; }
.calls .n { width: 21%; }
tbody th { font-weight: 600; }
.steps tr.phase th {
  padding: 22px 0 9px; border-bottom: 2px solid var(--line); font-size: 15.5px; font-weight: 680;
}
.steps tbody:first-of-type tr.phase th { padding-top: 12px; }
.steps .phase span { display: block; font-weight: 400; font-size: 14px; color: var(--soft); }
.steps tr.step:target > * { background: var(--wash); }
.steps { table-layout: fixed; }
.steps .number { width: 52px; }
.steps td.number { color: var(--soft); font-weight: 650; }
.steps .name { width: 46%; }
.steps .result { width: 116px; }
.steps .time { width: 96px; }
.steps td.time { white-space: nowrap; }
.steps td.time span { display: block; color: var(--soft); font-size: 13px; }
.region {
  display: inline-block; font: 500 12px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
  color: var(--soft); background: var(--idle-wash); border-radius: 5px; padding: 0 7px;
  max-width: min(100%, 16em); overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
  vertical-align: text-bottom;
}
.detail { font-weight: 400; font-size: 14px; color: var(--soft); margin-top: 4px; }
.failed .detail { color: var(--bad); }
.lines { white-space: pre-line; }
summary { cursor: pointer; color: var(--soft); font-family: system-ui, sans-serif; font-size: 13px; }
details pre {
  white-space: pre-wrap; color: var(--soft); background: var(--wash); border-radius: 8px; padding: 8px 11px;
  margin-top: 5px;
}
.evidence {
  display: grid; grid-template-columns: fit-content(45%) minmax(0, 1fr); gap: 2px 12px; font-size: 13px;
  font-weight: 400; margin-top: 6px; padding-left: 10px; border-left: 3px solid var(--line);
}
.evidence dt { color: var(--soft); }
.evidence dd, code, pre {
  font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: 12.5px;
}
.pill {
  display: inline-flex; align-items: center; gap: 6px; font-size: 13px; font-weight: 650;
  border-radius: 99px; padding: 1px 11px 1px 8px; white-space: nowrap;
}
.pill.passed { color: var(--good); background: var(--good-wash); }
.pill.failed, .pill.mandatory { color: var(--bad); background: var(--bad-wash); }
.pill.skipped, .pill.advisory { color: var(--idle); background: var(--idle-wash); }
.pill svg { width: 12px; height: 12px; flex: none; }

.mails {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); gap: 16px;
  list-style: none; padding: 0;
}
.mails > li { border: 1px solid var(--line); border-radius: 11px; padding: 15px 17px; min-width: 0; }
.mails h3 { font-size: 15px; line-height: 1.4; }
.mails .from {
  display: flex; flex-wrap: wrap; gap: 3px 12px; align-items: baseline; font-size: 13px; color: var(--soft);
  margin-top: 4px;
}
.mails pre {
  white-space: pre-wrap; background: var(--wash); border-radius: 8px; padding: 11px 13px; margin-top: 11px;
  line-height: 1.55;
}
.lost-call { color: var(--lost); font-weight: 650; }
.bars { display: grid; gap: 9px; }
.bars .track {
  display: block; height: 8px; border-radius: 4px; background: var(--idle-wash); overflow: hidden;
}
.bars .track i { display: block; height: 100%; border-radius: 4px; background: var(--good); }
.bars li { display: grid; grid-template-columns: minmax(0, 1fr) max-content; gap: 2px 12px; }
.bars li .track { grid-column: 1 / -1; }
ol.bars { list-style: none; padding: 0; margin-bottom: 0; }
.facts {
  display: grid; grid-template-columns: fit-content(40%) minmax(0, 1fr); gap: 7px 22px; margin-top: 14px;
}
.facts dt { color: var(--soft); }
footer { color: var(--soft); font-size: 13px; padding-bottom: 36px; }

@media screen and (max-width: 760px) {
  main, header.hero > div, footer { padding: 0 16px; }
  section { padding: 18px 16px; border-radius: 12px; }
  svg.wide { display: none; }
  svg.tall { display: block; max-width: 440px; margin-left: auto; margin-right: auto; }
  .figures { grid-template-columns: 1fr 1fr; }
  .figures > div { padding: 13px 16px; }
  .figures > div:last-child:nth-child(odd) { grid-column: 1 / -1; }
  .figures dd { font-size: 21px; }
  .steps thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .steps, .steps tbody, .steps tr, .steps th, .steps td {
    display: block; width: auto !important; padding: 0; border: 0;
  }
  .steps tr.phase th { padding: 22px 0 8px; }
  .steps tr.step {
    display: grid; grid-template-columns: 30px minmax(0, 1fr) max-content; gap: 3px 8px; padding: 13px 0;
    border-bottom: 1px solid var(--line);
  }
  .steps tr.step > .name { grid-column: 2; }
  .steps tr.step > .result { grid-column: 3; grid-row: 1; }
  .steps tr.step > .expectation { grid-column: 2 / -1; }
  .steps tr.step > .time { grid-column: 2 / -1; }
  .steps td.time span { display: inline; margin-left: 8px; }
  .steps .expectation::before { content: "Expected: "; color: var(--soft); }
  .evidence { grid-template-columns: minmax(0, 1fr); }
  .evidence dd { margin-bottom: 4px; }
  .calls th, .calls td { padding-left: 5px; padding-right: 5px; }
  .calls thead th { font-size: 11.5px; }
  .calls tbody th { font-size: 13.5px; }
  .policy, .policy tbody, .policy tr, .policy th, .policy td { display: block; padding: 0; border: 0; }
  .policy thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .policy tbody tr { padding: 12px 0; border-bottom: 1px solid var(--line); }
  .policy tbody tr:last-child { border-bottom: 0; padding-bottom: 0; }
  .policy tbody tr > * { margin-bottom: 5px; }
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
  .figures { margin: 14px 0; border: 1px solid var(--line); grid-template-columns: repeat(6, 1fr); }
  .figures > div { padding: 10px 12px; }
  .figures dd { font-size: 17px; }
  .pill, .region, .figures dt, .detail, .steps .phase span, .steps td.time span, .evidence, .legend, .note {
    font-size: 10.5px;
  }
  .evidence dd, code, pre { font-size: 10px; }
  td, th { padding-top: 6px; padding-bottom: 6px; }
  section, .figures { box-shadow: none; }
  section { padding: 8px 0; }
  tr, .mails > li, svg, .figures { break-inside: avoid; }
  h2 { break-after: avoid; }
  .mails, .pair { display: block; }
  .mails > li, .pair > section { margin-bottom: 12px; }
  .skip { display: none; }
}
`;
