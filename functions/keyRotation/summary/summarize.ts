import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import * as z from "zod";
import type { NoticeInput } from "../../shared/notice/notice";
import type { Objects } from "../adapters/objects";
import type { InventoryKey } from "../engine/result";
import { FigureCollector, type Figures } from "../report/figures";
import { KeyFiles, keyRow } from "../report/keyFiles";
import { reportPage } from "../report/page";
import type { KeyRotationSettings } from "../settings";
import { accountEnds, inventoryKeySchema } from "./results";

/** What the summary gets: the inventory's result and how the map over the accounts ended. */
export const summaryEventSchema = z.object({
  runId: z.string().regex(/^[\w-]{1,100}$/, "1 to 100 letters, digits, _ and -"),
  startedAt: z.iso.datetime({ offset: true }).optional(),
  inventory: z.object({
    state: z.string(),
    reason: z.string().default(""),
    accounts: z.number().default(0),
    leftOut: z.array(z.unknown()).default([]),
    listFrom: z.string().optional(),
  }),
  map: z.unknown(),
});

/** What the summary works with. */
export interface SummaryPorts {
  objects: Objects;
  /** Tells whoever runs the rotation. */
  alert(notice: NoticeInput): Promise<void>;
  now(): Date;
}

/** Where a run's report is. */
export interface SummaryResult {
  runId: string;
  reportKey: string;
  failures: number;
  cases: number;
}

/** Key of the newest figures below the prefix: what `bulkhead keys status` reads. */
export const LATEST = "reports/latest.json";

/**
 * Sums a run up: the inventory of all keys as CSV and JSON, the report, the figures. Account by account, so that the memory it needs does not
 * depend on their number.
 */
export async function summarize(
  event: z.output<typeof summaryEventSchema>,
  settings: Pick<KeyRotationSettings, "bucket" | "cell" | "mode" | "policy">,
  ports: SummaryPorts,
): Promise<SummaryResult> {
  const { runId, inventory } = event;
  const { rotate } = settings.policy;
  const collector = new FigureCollector(
    {
      runId,
      cell: settings.cell.name,
      mode: settings.mode,
      startedAt: event.startedAt ?? ports.now().toISOString(),
      state: inventory.state,
      reason: inventory.reason,
      listed: inventory.accounts,
      leftOut: inventory.leftOut.length,
    },
    rotate,
  );
  const folder = `${settings.bucket.prefix}reports/${runId}/`;
  const scratch = await mkdtemp(path.join(tmpdir(), "bulkhead-keys-"));
  try {
    const files = new KeyFiles(path.join(scratch, "keys.csv"), path.join(scratch, "keys.json"));
    for await (const end of accountEnds(event.map, (key) => ports.objects.get(key))) {
      if ("failed" in end) {
        collector.addFailure(end.failed, end.reason);
        continue;
      }
      const keys = await keysOf(end.answer, ports.objects);
      collector.addAccount(end.answer);
      collector.addKeys(keys);
      await files.add(keys.map((key) => keyRow(end.answer.accountId, key, rotate)));
    }
    await files.close();
    await ports.objects.putFile(`${folder}keys.csv`, files.csvFile, "text/csv; charset=utf-8");
    await ports.objects.putFile(`${folder}keys.json`, files.jsonFile, "application/json");
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  const { figures } = collector;
  const json = `${JSON.stringify(figures, null, 2)}\n`;
  await ports.objects.put(`${folder}report.html`, reportPage(figures, rotate), "text/html; charset=utf-8");
  await ports.objects.put(`${folder}figures.json`, json, "application/json");
  await ports.objects.put(`${settings.bucket.prefix}${LATEST}`, json, "application/json");
  const notice = alertOf(figures, inventory.listFrom, `${settings.bucket.name}/${folder}report.html`);
  if (notice)
    await ports.alert({ ...notice, region: settings.cell.region, account: settings.cell.accountId });
  return {
    runId,
    reportKey: `${folder}report.html`,
    failures: figures.failures.total,
    cases: figures.cases.total,
  };
}

async function keysOf(
  { keys, keysAt }: { keys?: InventoryKey[]; keysAt?: string },
  objects: Pick<Objects, "get">,
): Promise<InventoryKey[]> {
  if (keys) return keys;
  const stored = keysAt === undefined ? undefined : await objects.get(keysAt);
  return stored === undefined ? [] : z.array(inventoryKeySchema).parse(JSON.parse(stored));
}

/** What operators are told after a run: nothing, if there is nothing new to look at. */
function alertOf(figures: Figures, listFrom: string | undefined, report: string): NoticeInput | undefined {
  const { accounts, failures, cases, newCases, state, reason, runId, mode } = figures;
  if (state === "standby") return undefined;
  const troubled = accounts.failed + accounts.paused;
  if (state !== "paused" && troubled + failures.total + newCases === 0 && !listFrom) return undefined;
  const lines = [
    { label: "Run", value: `${runId} (${mode})` },
    { label: "Paused because", value: state === "paused" ? reason : "" },
    {
      label: "Accounts",
      value: `${accounts.done} done, ${accounts.paused} paused, ${accounts.failed} failed`,
    },
    { label: "Failed actions", value: String(failures.total) },
    { label: "Need somebody", value: `${cases.total}, ${newCases} of them new` },
    { label: "Account list from", value: listFrom ?? "" },
    { label: "Report", value: report },
  ];
  return {
    title: state === "paused" ? "Key rotation paused" : "Key rotation needs somebody",
    severity: "warning",
    text: state === "paused" ? "Nothing was changed and nothing is lost: the next run goes on." : "",
    lines: lines.filter(({ value }) => value !== ""),
  };
}
