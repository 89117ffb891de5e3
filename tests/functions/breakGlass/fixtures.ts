import * as fs from "node:fs";
import * as path from "node:path";
import type { WatchNames } from "../../../functions/breakGlass/events/names";

/** A CloudTrail event in its genuine shape, and what is to be made of it. */
export interface Fixture {
  name: string;
  about: string;
  event: Record<string, unknown>;
  verdict: { alert?: "critical" | "high"; quiet?: true; rule: string };
}

const FOLDER = path.join(__dirname, "fixtures");

/** All fixtures, by name. */
export const FIXTURES: readonly Fixture[] = fs
  .readdirSync(FOLDER)
  .filter((file) => file.endsWith(".json"))
  .sort()
  .map((file) => ({
    name: path.basename(file, ".json"),
    ...JSON.parse(fs.readFileSync(path.join(FOLDER, file), "utf8")),
  }));

/** The names that the fixtures go by. */
export const NAMES: WatchNames = {
  userNames: ["breakglass-admin-1", "breakglass-admin-2"],
  path: "/break-glass/",
  namePrefix: "bulkhead",
  accountIds: ["222222222222"],
};

/** A fixture's event. */
export function fixture(name: string): Record<string, unknown> {
  const found = FIXTURES.find((one) => one.name === name);
  if (!found) throw new Error(`there is no fixture ${name}`);
  return structuredClone(found.event);
}

/** An event as EventBridge hands it to a rule. */
export function wrapped(event: Record<string, unknown>): Record<string, unknown> {
  if ("detail" in event) return event;
  const source = typeof event.eventSource === "string" ? `aws.${event.eventSource.split(".")[0]}` : "aws.x";
  return {
    version: "0",
    id: String(event.eventID ?? "0"),
    "detail-type": "AWS API Call via CloudTrail",
    source,
    account: String(event.recipientAccountId ?? ""),
    time: String(event.eventTime ?? ""),
    region: String(event.awsRegion ?? ""),
    resources: [],
    detail: event,
  };
}
