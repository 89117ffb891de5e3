/** What approval's pages have beside the style that all pages share: forms that fit a thumb, and a focus that can be seen. */
export const FORM_STYLE = `
header.hero.approval { padding: 18px 0 64px; margin-bottom: -40px; }
header.hero.approval h1 { font-size: clamp(25px, 4vw, 34px); margin: 26px 0 0; max-width: 30ch; }
header.hero.approval .lead { margin-top: 10px; }
.approval .bar { display: flex; justify-content: space-between; align-items: center; gap: 16px; }
.approval .switch { color: #fff; padding: 8px 0 8px 12px; }
header.hero a:focus-visible { outline-color: #fff; }
main { max-width: 860px; }
header.hero.approval > div, header.hero.approval + main + footer { max-width: 860px; }
main > :first-child { margin-top: 0; }
h2 + .facts { margin-top: 14px; }
h2 + p.big { margin-top: 8px; }
.facts.deadline dd { font-weight: 650; }
.facts ul, .levels ul { margin: 0; padding: 0; list-style: none; }
code { font: 13.5px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.big, h2 + p.big { color: var(--ink); font-size: 20px; font-weight: 680; letter-spacing: -.01em; }
details > summary { cursor: pointer; padding: 8px 0; color: var(--link); }
details[open] > summary { margin-bottom: 2px; }
.subject + .subject { border-top: 1px solid var(--line); margin-top: 16px; padding-top: 2px; }
.note { color: var(--soft); margin-top: 12px; }
.score { display: flex; align-items: center; gap: 12px; flex-wrap: wrap; margin-top: 12px; }
.meter { width: 180px; max-width: 100%; height: 12px; fill: var(--line); }
.meter .value { fill: var(--good); }
.meter.middle .value { fill: var(--lost-line); }
.meter.high .value { fill: var(--bad); }
.reasons { list-style: none; margin: 14px 0 0; padding: 0; }
.reasons li { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 2px 16px; padding: 9px 0; border-top: 1px solid var(--line); }
.reasons .points { color: var(--soft); }
.reasons .what { grid-column: 1; }
.levels { list-style: none; margin: 14px 0 0; padding: 0; }
.levels > li { padding: 12px 0; border-top: 1px solid var(--line); }
.levels .row { display: flex; justify-content: space-between; gap: 4px 16px; flex-wrap: wrap; align-items: baseline; }
.levels .name { font-weight: 650; }
.pill.waiting { color: var(--lost); background: var(--lost-wash); padding-left: 11px; }
.pill.done { color: var(--good); background: var(--good-wash); padding-left: 11px; }
.pill.later, .pill.unasked { color: var(--idle); background: var(--idle-wash); padding-left: 11px; }
form.decision fieldset { border: 0; padding: 0; margin: 14px 0 0; min-width: 0; }
form.decision legend { padding: 0; font-weight: 650; }
label.choice {
  display: flex; gap: 12px; align-items: center; min-height: 52px; padding: 10px 16px; margin-top: 10px;
  border: 1px solid var(--line); border-radius: 12px; background: var(--wash); cursor: pointer; font-weight: 600;
}
label.choice:has(:checked) { border-color: var(--link); box-shadow: inset 0 0 0 1px var(--link); }
label.choice:focus-within { outline: 3px solid var(--link); outline-offset: 2px; }
input[type="radio"] { width: 22px; height: 22px; margin: 0; flex: none; accent-color: var(--link); }
input[type="radio"]:focus-visible { outline: none; }
.field { margin-top: 20px; }
.field > label, .field > .label { display: block; font-weight: 650; }
.hint { display: block; color: var(--soft); font-size: 14px; font-weight: 400; margin-top: 2px; }
input[type="text"], textarea, select {
  width: 100%; margin-top: 6px; padding: 11px 13px; font: inherit; font-size: 16px; color: var(--ink); background: var(--card);
  border: 1px solid var(--soft); border-radius: 10px; min-height: 48px;
}
textarea { min-height: 92px; resize: vertical; }
input.code { width: 9.5em; font-size: 22px; letter-spacing: .12em; }
input[type="text"]:focus-visible, textarea:focus-visible, select:focus-visible {
  outline: 3px solid var(--link); outline-offset: 1px;
}
[aria-invalid="true"] { border-color: var(--bad) !important; box-shadow: inset 0 0 0 1px var(--bad); }
.error { display: block; color: var(--bad); font-weight: 600; margin-top: 4px; }
button, a.button {
  display: inline-block; font: inherit; font-size: 16px; font-weight: 650; min-height: 50px; padding: 12px 26px; margin-top: 22px;
  border: 0; border-radius: 12px; background: var(--link); color: var(--on); cursor: pointer; text-decoration: none;
}
button:focus-visible, a.button:focus-visible, summary:focus-visible { outline: 3px solid var(--link); outline-offset: 3px; }
button.plain {
  background: none; color: var(--link); padding: 10px 0 10px 12px; margin: 0; min-height: 44px; font-size: 15px; font-weight: 500;
  text-decoration: underline;
}
.signed-in {
  display: flex; justify-content: space-between; align-items: center; flex-wrap: wrap; background: var(--card); border-radius: 14px;
  padding: 4px 24px; margin-bottom: 16px; box-shadow: var(--shadow);
}
.signed-in span { color: var(--soft); }
section.problems { border: 2px solid var(--bad); }
section.problems h2 { color: var(--bad); }
section.problems ul { margin: 8px 0 0; padding-left: 20px; }
section.decide { border: 2px solid var(--link); }
.warning { margin-top: 14px; color: var(--lost); background: var(--lost-wash); border-radius: 10px; padding: 9px 14px; font-weight: 600; }
.requests { list-style: none; margin: 10px 0 0; padding: 0; }
.requests li { border-top: 1px solid var(--line); padding: 14px 0; display: flex; justify-content: space-between; gap: 8px 16px; flex-wrap: wrap; }
.requests a { font-weight: 650; display: inline-block; padding: 4px 0; }
.requests p { color: var(--soft); }
.requests .pill { align-self: center; }
@media screen and (max-width: 760px) {
  button, a.button { width: 100%; text-align: center; }
  button.plain { width: auto; }
  .signed-in { padding: 4px 16px; }
}
@media (forced-colors: active) {
  label.choice:has(:checked) { outline: 3px solid Highlight; }
}
`;
