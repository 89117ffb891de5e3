import { PAGE_STYLE } from "../../functions/shared/html/pageStyle";

/** The report's style sheet: the common one, and what only this page has. */
export const STYLE = `${PAGE_STYLE}
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
.calls { table-layout: fixed; }
.calls th:first-child { width: 30%; }
.calls .n { width: 21%; }
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
@media screen and (max-width: 760px) {
  svg.wide { display: none; }
  svg.tall { display: block; max-width: 440px; margin-left: auto; margin-right: auto; }
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
}
@media print {
  .figures { margin: 14px 0; border: 1px solid var(--line); grid-template-columns: repeat(6, 1fr); }
  .pill, .region, .figures dt, .detail, .steps .phase span, .steps td.time span, .evidence, .legend, .note {
    font-size: 10.5px;
  }
  .evidence dd, code, pre { font-size: 10px; }
  .mails > li, svg { break-inside: avoid; }
  .mails, .pair { display: block; }
  .mails > li, .pair > section { margin-bottom: 12px; }
}
`;
