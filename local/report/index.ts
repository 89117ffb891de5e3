import { html } from "../../functions/shared/html/html";
import { calls } from "./sections/calls";
import { facts, policy, timings } from "./sections/facts";
import { figures, header } from "./sections/header";
import { mails } from "./sections/mails";
import { steps } from "./sections/steps";
import { timeline } from "./sections/timeline";
import { STYLE } from "./style";
import type { DrillRun } from "./types";

export { drillReportSchema, drillRunSchema, parseJsonReport, renderJsonReport, summarize } from "./json";
export * from "./types";

/** Nothing is loaded and nothing runs, whatever a run's texts hold. */
const CONTENT_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/** An empty picture, or browsers would ask the server for one. */
const NO_ICON = "data:,";

/**
 * The HTML report of a run: one file that needs nothing else. It holds every text of the run as text, so
 * what the run saw cannot change the page.
 */
export function renderReport(run: DrillRun): string {
  const lower = [calls(run), timings(run)].filter((section) => section !== undefined);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${CONTENT_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<link rel="icon" href="${NO_ICON}">
<title>${run.title}: ${run.outcome}</title>
`;
  const body = html`</head>
<body>
<a class="skip" href="#h-steps">To the steps</a>
${header(run)}
<main>
${figures(run)}
${timeline(run)}
${steps(run)}
${mails(run)}
${lower.length > 1 ? html`<div class="pair">${lower}</div>` : lower}
${policy(run)}
${facts(run)}
</main>
<footer><p>Made by the drill of Bulkhead. The same run is in the JSON report beside this file.</p></footer>
</body>
</html>
`;
  // The style sheet is this program's own: escaped, its quotes would be none.
  return `${page.text}<style>${STYLE}</style>\n${body.text}`;
}
