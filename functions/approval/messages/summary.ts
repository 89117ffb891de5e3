import { cleanLine } from "../../shared/text/cleanText";
import type { RequestView } from "../pages/view";
import type { Say } from "../pages/words";
import type { SummaryPart } from "./renderMail";

/** Most characters of a line in a message; the page shows all of it. */
const LINE_LIMIT = 1_000;
const LABEL_LIMIT = 100;
/** Most lines of a preview in a message. */
const PREVIEW_LINES = 40;

/** Everything about a request as lines, for messages. */
export function summaryOf(view: RequestView, say: Say): SummaryPart[] {
  // On one line each: whoever writes a reason must not be able to write further lines of the message.
  const line = (label: string, value: string) => ({
    label: cleanLine(label, LABEL_LIMIT),
    value: cleanLine(value, LINE_LIMIT),
  });
  const preview = view.preview.flat();
  return [
    {
      title: say("whatHappens"),
      lines: [
        line(say("operation"), `${view.operation} (${view.call})`),
        line(say("resources"), view.resources.join(say("listSeparator"))),
        line(say("account"), view.account),
        line(say("region"), view.region),
        line(say("requester"), view.requesterLine),
        line(say("calledAt"), view.calledAt),
        line(say("reason"), view.reason),
        line(say("snapshotFirst"), say(view.snapshotFirst ? "snapshotYes" : "snapshotNo")),
        ...(view.deadline ? [line(say("deadlineTitle"), `${view.deadline.at} (${view.deadline.left})`)] : []),
      ],
    },
    ...(preview.length > 0
      ? [
          {
            title: say("previewTitle"),
            lines: [
              ...preview.slice(0, PREVIEW_LINES).map(({ label, value }) => line(label, value)),
              ...(preview.length > PREVIEW_LINES ? [line("…", String(preview.length - PREVIEW_LINES))] : []),
            ],
          },
        ]
      : []),
    {
      title: say("riskTitle"),
      lines: [
        line(say("riskClass"), `${view.risk.name}, ${view.risk.text}`),
        ...view.risk.reasons.map(({ label, text, points }) => line(label, `${text} (${points})`)),
      ],
    },
    {
      title: say("approvalTitle"),
      lines: [
        ...view.levels.map(({ name, needs, stateText, approvals }) =>
          line(`${name}`, [`${needs}: ${stateText}`, ...approvals].join("; ")),
        ),
        ...view.notes.map((note) => line(say("mailOutcome"), note)),
      ],
    },
  ];
}
