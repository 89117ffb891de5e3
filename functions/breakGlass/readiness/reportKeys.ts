/** Where a steward's reports lie in its bucket: the last one under names that stay, all under their time. */

const FOLDER = "readiness/";

/** Keys of the last report. */
export const LATEST_REPORT = { json: `${FOLDER}latest.json`, html: `${FOLDER}latest.html` } as const;

/** Keys of a report by its time, which sort by it. */
export function reportKeys(at: Date): { json: string; html: string } {
  const name = at
    .toISOString()
    .replace(/\.\d+Z$/, "Z")
    .replaceAll(":", "-");
  const folder = `${FOLDER}${name.slice(0, 4)}/${name.slice(5, 7)}/`;
  return { json: `${folder}${name}.json`, html: `${folder}${name}.html` };
}
