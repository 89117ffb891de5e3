import type { Notice, Severity } from "./notice";

/** How each severity is called. */
export const SEVERITY_WORDS: Record<Severity, string> = {
  info: "Information",
  warning: "Warning",
  critical: "Critical",
};

/** Everything of a notice that is shown as "label: value": its own lines, then where and when. */
export function details(notice: Notice): { label: string; value: string }[] {
  const where = [
    { label: "Account", value: notice.account },
    { label: "Region", value: notice.region },
    { label: "Time", value: notice.time },
  ].filter(({ label, value }) => value !== "" && !notice.lines.some((line) => line.label === label));
  return [...notice.lines.filter((line) => line.label !== "" || line.value !== ""), ...where];
}
