import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { evidenceTableName } from "../../components/breakGlassAccount/evidenceTable";
import { normalizeCell } from "../../components/regional/cell";
import type { EvidenceSide } from "../../functions/breakGlass/records/bothCells";
import { DynamoDbEvidenceStore } from "../../functions/breakGlass/records/dynamoDbEvidenceStore";
import type { ConsoleSession } from "../aws/console";
import { type LocalEnvironment, PRIMARY, STANDBY } from "../environment";
import { countCalls } from "../outage/journal";
import type { OutageMode } from "../outage/types";
import type { DrillMail, DrillRun } from "../report/types";
import { type Answer, type CommandResult, runCommand } from "./command";
import type { EmergencyUser } from "./emergencyUser";
import type { RunListener } from "./runner";

/** Marks the calls that arrive while regions are lost. */
export const OUTAGE = "outage";

/** After this long without an answer a region counts as not answering, so that a hanging one does not stop the drill. */
export const NO_ANSWER_MS = 1500;

/** Settings of {@link runDrill}. */
export interface DrillOptions {
  /** How the lost region behaves. @default "refuse" */
  outageMode?: Exclude<OutageMode, "slow">;
  listener?: RunListener;
  /** Gets the lines of previews and deployments. @default they are dropped */
  onOutput?: (line: string) => void;
  signal?: AbortSignal;
}

/** What the drill's steps share and hand on to one another, and what they leave for the report. */
export class DrillContext {
  readonly mails: DrillMail[] = [];
  readonly resources: Record<string, number> = {};
  readonly policy: DrillRun["policy"] = [];
  readonly timings: DrillRun["timings"] = [];
  outage: DrillRun["outage"];
  users: EmergencyUser[] = [];
  /** The session of whoever signed in last. */
  session: ConsoleSession | undefined;

  constructor(
    readonly environment: LocalEnvironment,
    readonly options: DrillOptions,
  ) {}

  findings(): Pick<DrillRun, "outage" | "calls" | "mails" | "resources" | "policy" | "timings"> {
    const duringOutage = this.environment.proxy.calls().filter(({ label }) => label === OUTAGE);
    return {
      outage: this.outage,
      calls: { duringOutage: countCalls(duringOutage) },
      mails: this.mails,
      resources: this.resources,
      policy: this.policy,
      timings: this.timings,
    };
  }

  get outageMode() {
    return this.options.outageMode ?? "refuse";
  }

  get accountId() {
    return this.environment.organization.securityAccountId;
  }

  get first(): EmergencyUser {
    return this.users[0]!;
  }

  get second(): EmergencyUser {
    return this.users[1]!;
  }

  async timed<T>(name: string, action: () => Promise<T>): Promise<T> {
    const started = performance.now();
    try {
      return await action();
    } finally {
      this.timings.push({ name, durationMs: performance.now() - started });
    }
  }

  signIn(user: EmergencyUser, region: string): Promise<ConsoleSession> {
    return user.signIn(this.environment.proxy.url, region, { signal: this.options.signal });
  }

  deployerSettings(region: string) {
    return {
      region,
      endpoint: this.environment.proxy.url,
      credentials: this.environment.organization.deployer,
    };
  }

  client(session: ConsoleSession) {
    return {
      endpoint: this.environment.proxy.url,
      credentials: session.credentials,
      maxAttempts: 1,
      requestHandler: { requestTimeout: NO_ANSWER_MS, throwOnRequestTimeout: true },
    };
  }

  /** The evidence about emergency access, of both cells. */
  evidenceSides(): EvidenceSide[] {
    return [PRIMARY, STANDBY].map(({ name, region }) => ({
      cell: name,
      region,
      store: new DynamoDbEvidenceStore({
        client: new DynamoDBClient({ ...this.deployerSettings(region), maxAttempts: 1 }),
        tableName: evidenceTableName(normalizeCell({ name, region, accountId: this.accountId })),
        region,
        timeoutMilliseconds: NO_ANSWER_MS,
      }),
    }));
  }

  /** Runs the product's command as the deployer. */
  command(args: readonly string[], answers: readonly Answer[] = []): Promise<CommandResult> {
    return runCommand(this.environment, args, { answers, signal: this.options.signal });
  }
}
