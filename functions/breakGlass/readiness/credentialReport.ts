/**
 * When each user's password was last changed, from IAM's credential report: a table in CSV whose columns are named in its first line. None of
 * its values holds a comma. Users without a password, or whose report says nothing, are left out.
 *
 * @returns ISO 8601 in UTC, by user name
 */
export function parseCredentialReport(report: string): Record<string, string> {
  const [header = "", ...lines] = report.trim().split(/\r?\n/);
  const columns = header.split(",");
  const name = columns.indexOf("user");
  const changed = columns.indexOf("password_last_changed");
  return Object.fromEntries(
    lines.flatMap((line) => {
      const values = line.split(",");
      const at = new Date(values[changed] ?? "");
      return Number.isNaN(at.getTime()) ? [] : [[values[name]!, at.toISOString()]];
    }),
  );
}
