import { once } from "node:events";
import { createWriteStream, type WriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import { stringify } from "csv-stringify/sync";
import type { InventoryKey } from "../engine/result";

const COLUMNS = [
  "account",
  "user",
  "key",
  "state",
  "age_days",
  "last_used_days_ago",
  "days_until_due",
  "owner",
];

/** A key as the inventory's files have it. */
export interface KeyRow {
  account: string;
  user: string;
  /** Empty: not listed, because nothing was due. */
  key: string;
  state: "active" | "inactive";
  ageDays: number;
  /** null: never; "unknown". */
  lastUsedDaysAgo: number | null | "unknown";
  daysUntilDue: number | null;
  owner: string;
}

/** A key's row. */
export function keyRow(account: string, key: InventoryKey, rotateDays: number): KeyRow {
  return {
    account,
    user: key.userName,
    key: key.id,
    state: key.active ? "active" : "inactive",
    ageDays: key.ageDays,
    lastUsedDaysAgo: key.lastUsedDaysAgo === -1 ? "unknown" : key.lastUsedDaysAgo,
    daysUntilDue: key.active ? Math.round((rotateDays - key.ageDays) * 10) / 10 : null,
    owner: key.owner,
  };
}

/**
 * Lines of CSV. Texts that a spreadsheet would take for a formula get an apostrophe in front: names and tags are chosen by users of the accounts.
 */
export function csvLines(rows: readonly KeyRow[], withHeader: boolean): string {
  const cells = rows.map((row) => [
    row.account,
    row.user,
    row.key,
    row.state,
    row.ageDays,
    row.lastUsedDaysAgo ?? "never",
    row.daysUntilDue ?? "",
    row.owner,
  ]);
  return stringify([...(withHeader ? [COLUMNS] : []), ...cells], {
    escape_formulas: true,
    record_delimiter: "\r\n",
  });
}

/** Writes the inventory's two files while accounts come in: what is in memory does not grow. */
export class KeyFiles {
  private readonly csv: WriteStream;
  private readonly json: WriteStream;
  private first = true;

  constructor(
    readonly csvFile: string,
    readonly jsonFile: string,
  ) {
    this.csv = createWriteStream(csvFile);
    this.json = createWriteStream(jsonFile);
    this.csv.write(csvLines([], true));
    this.json.write("[");
  }

  async add(rows: readonly KeyRow[]): Promise<void> {
    if (rows.length === 0) return;
    const json = rows.map((row) => JSON.stringify(row)).join(",\n");
    await Promise.all([
      write(this.csv, csvLines(rows, false)),
      write(this.json, `${this.first ? "\n" : ",\n"}${json}`),
    ]);
    this.first = false;
  }

  async close(): Promise<void> {
    this.csv.end();
    this.json.end("\n]\n");
    await Promise.all([finished(this.csv), finished(this.json)]);
  }
}

async function write(stream: WriteStream, text: string): Promise<void> {
  if (!stream.write(text)) await once(stream, "drain");
}
