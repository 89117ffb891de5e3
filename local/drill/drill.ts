import * as path from "node:path";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { IAMClient, ListUsersCommand } from "@aws-sdk/client-iam";
import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { activationTableName } from "../../components/activation/names";
import { normalizeCell } from "../../components/regional/cell";
import { DynamoDbActivationStore } from "../../functions/shared/activation/dynamoDbActivationStore";
import { promote, status } from "../../functions/shared/activation/promote";
import type { ConsoleSession } from "../aws/console";
import { confirmSubscriptions, type Mail, readInbox } from "../aws/inbox";
import type { DeploymentResult } from "../engine/driver";
import { LOCAL_AWS_NAME, type LocalCell, type LocalEnvironment, PRIMARY, STANDBY } from "../environment";
import { countCalls } from "../outage/journal";
import type { OutageMode } from "../outage/types";
import type { DrillMail, DrillRun, Evidence } from "../report/types";
import { waitFor } from "../waitFor";
import { EmergencyUser } from "./emergencyUser";
import { type Phase, type RunListener, runPhases, type StepFindings } from "./runner";

/** Marks the calls that arrive while regions are lost. */
const OUTAGE = "outage";

/** Longest wait for a mail: it takes a fraction of a second here, seconds on AWS. */
const MAIL_TIMEOUT_MS = 10_000;

/** After this long without an answer a region counts as not answering, so that a hanging one does not stop the drill. */
const NO_ANSWER_MS = 1500;

/** Settings of {@link runDrill}. */
export interface DrillOptions {
  /** How the lost region behaves. @default "refuse" */
  outageMode?: Exclude<OutageMode, "slow">;
  listener?: RunListener;
  /** Gets the lines of previews and deployments. @default they are dropped */
  onOutput?: (line: string) => void;
  signal?: AbortSignal;
}

/**
 * The drill: deploys both cells into the environment, lets an emergency user act, takes us-east-1 and every global service away, and shows
 * that access, alerts and promotion work on. What fails is told in the result, not thrown.
 */
export async function runDrill(environment: LocalEnvironment, options: DrillOptions = {}): Promise<DrillRun> {
  const drill = new Drill(environment, options);
  const startedAt = new Date().toISOString();
  const { outcome, phases } = await runPhases(drill.phases(), options);
  await environment.proxy.setOutage(undefined);
  return {
    title: "Losing us-east-1",
    startedAt,
    finishedAt: new Date().toISOString(),
    engine: environment.driver.name,
    aws: LOCAL_AWS_NAME,
    outcome,
    cells: [PRIMARY, STANDBY],
    phases,
    ...drill.findings(),
  };
}

/** What the steps do, and what they hand on to one another. */
class Drill {
  private readonly mails: DrillMail[] = [];
  private readonly resources: Record<string, number> = {};
  private readonly policy: DrillRun["policy"] = [];
  private readonly timings: DrillRun["timings"] = [];
  private outage: DrillRun["outage"];
  private users: EmergencyUser[] = [];
  /** The session of whoever signed in last. */
  private session: ConsoleSession | undefined;

  constructor(
    private readonly environment: LocalEnvironment,
    private readonly options: DrillOptions,
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

  phases(): Phase[] {
    return [
      {
        name: "Two cells",
        description: "Both stacks are deployed, each into its own region, with the policy pack enforced.",
        steps: [
          {
            name: "Preview prod",
            region: PRIMARY.region,
            expectation: "The plan keeps to every rule of the policy pack.",
            run: () => this.preview(PRIMARY),
          },
          {
            name: "Deploy dr",
            region: STANDBY.region,
            expectation: "The standby cell stands, with everything that it needs in its own region.",
            run: () => this.deploy(STANDBY),
          },
          {
            name: "Deploy prod",
            region: PRIMARY.region,
            expectation: "The primary cell stands, the emergency users with it.",
            run: () => this.deploy(PRIMARY),
          },
          {
            name: "Confirm the mail subscriptions",
            expectation: "The security team has confirmed the subscription of each cell.",
            run: () => this.confirmMail(),
          },
        ],
      },
      {
        name: "Guard rail",
        description: "A program whose credentials come from the global STS endpoint never gets to AWS.",
        steps: [
          {
            name: "Preview a program that asks sts.amazonaws.com",
            region: STANDBY.region,
            expectation: "The policy pack rejects it in the preview and says what to write instead.",
            run: () => this.previewGlobalSts(),
          },
        ],
      },
      {
        name: "Emergency access, all regions well",
        description: "The custodians open the passwords; without a second factor they are worth nothing.",
        steps: [
          {
            name: "Open the passwords",
            expectation: "Each custodian's private key opens the one password that is theirs, and no other.",
            run: () => this.openPasswords(),
          },
          {
            name: "Act without a second factor",
            region: PRIMARY.region,
            expectation: "Signing in gives a session that is denied everything.",
            run: () => this.actWithoutMfa(),
          },
          {
            name: "Enrol the TOTP devices",
            expectation: "An administrator enrols one for each user, who could not do it.",
            run: () => this.enrol(),
          },
          {
            name: "Sign in with the second factor and act",
            region: PRIMARY.region,
            expectation:
              "The user is administrator, and the security team has a mail of it from the primary.",
            run: () => this.signInAndAct(this.first, PRIMARY, () => this.listUsers()),
          },
        ],
      },
      {
        name: "us-east-1 is gone",
        description: `us-east-1 and every global service ${this.outageMode === "hang" ? "hang" : "refuse connections"}: IAM, Organizations, global STS.`,
        steps: [
          {
            name: "Take us-east-1 and the global services away",
            region: PRIMARY.region,
            expectation: "Neither the region nor IAM answers, and nobody can sign in there.",
            run: () => this.beginOutage(),
          },
          {
            name: "Sign in through us-west-2 and act",
            region: STANDBY.region,
            expectation: "The other user is administrator there, and the DR cell's mail arrives.",
            run: () => this.signInAndAct(this.second, STANDBY, () => this.writeParameter(STANDBY)),
          },
          {
            name: "Promote dr",
            region: STANDBY.region,
            expectation:
              "One write in us-west-2 makes the standby the acting cell; no lost region and no global service is needed.",
            run: () => this.promoteStandby(),
          },
        ],
      },
      {
        name: "The region returns",
        description: "us-east-1 answers again.",
        steps: [
          {
            name: "Bring us-east-1 back",
            region: PRIMARY.region,
            expectation: "The region and IAM answer.",
            run: () => this.endOutage(),
          },
          {
            name: "See which cell acts",
            expectation:
              "Exactly one: the returned primary stands back before the promoted cell's higher epoch.",
            run: () => this.oneWriter(),
          },
          {
            name: "Sign in through us-east-1 and act",
            region: PRIMARY.region,
            expectation: "Everything is as before, the primary's mail included.",
            run: () => this.signInAndAct(this.first, PRIMARY, () => this.listUsers()),
          },
        ],
      },
    ];
  }

  private get outageMode() {
    return this.options.outageMode ?? "refuse";
  }

  private get accountId() {
    return this.environment.organization.securityAccountId;
  }

  private async timed<T>(name: string, action: () => Promise<T>): Promise<T> {
    const started = performance.now();
    try {
      return await action();
    } finally {
      this.timings.push({ name, durationMs: performance.now() - started });
    }
  }

  private async preview(cell: LocalCell): Promise<StepFindings> {
    const deployment = { ...this.environment.deployment(cell.name), onOutput: this.options.onOutput };
    const result = await this.timed(`preview ${cell.name}`, () =>
      this.environment.driver.preview(deployment),
    );
    this.demandOk(result);
    return { detail: `${result.counts.create ?? 0} resources to create, no violation` };
  }

  private async deploy(cell: LocalCell): Promise<StepFindings> {
    const deployment = { ...this.environment.deployment(cell.name), onOutput: this.options.onOutput };
    const result = await this.timed(`deploy ${cell.name}`, () => this.environment.driver.up(deployment));
    this.demandOk(result);
    this.resources[cell.name] = result.counts.create ?? 0;
    return { detail: `${result.counts.create ?? 0} resources created` };
  }

  private demandOk(result: DeploymentResult): void {
    this.policy.push(
      ...result.policyViolations.map(({ policy, enforcement, message }) => ({
        rule: policy,
        enforcement,
        message,
      })),
    );
    if (result.ok) return;
    const messages = [
      ...result.diagnostics.filter(({ severity }) => severity === "error").map(({ message }) => message),
      ...result.policyViolations.map(({ policy, message }) => `${policy}: ${message}`),
    ];
    throw new Error(messages.join("\n") || "the deployment failed without a message");
  }

  private async confirmMail(): Promise<StepFindings> {
    await confirmSubscriptions(this.environment.proxy.url);
    return {};
  }

  private async previewGlobalSts(): Promise<StepFindings> {
    const result = await this.environment.driver.preview({
      ...this.environment.deployment("trial"),
      projectDir: path.join(this.environment.root, "examples", "globalStsEndpoint"),
      config: {},
      onOutput: this.options.onOutput,
    });
    const violation = result.policyViolations.find(({ policy }) => policy === "no-global-sts-endpoint");
    if (result.ok || !violation) throw new Error("the preview was not rejected by no-global-sts-endpoint");
    const { policy, enforcement, message } = violation;
    this.policy.push({ rule: policy, enforcement, message });
    return { detail: "rejected in the preview", evidence: [{ label: policy, value: message }] };
  }

  private async openPasswords(): Promise<StepFindings> {
    const outputs = await this.environment.driver.outputs(PRIMARY.name, { showSecrets: true });
    const messages = Object.entries(outputs.encryptedPasswords as Record<string, string>);
    const { custodians } = this.environment;
    for (const [index, [userName, message]] of messages.entries()) {
      const opened = await Promise.allSettled(custodians.map((custodian) => custodian.decrypt(message)));
      const openedBy = custodians.filter((_, i) => opened[i]!.status === "fulfilled");
      if (openedBy.length !== 1 || openedBy[0] !== custodians[index]) {
        const who = openedBy.map(({ address }) => address).join(", ") || "nobody";
        throw new Error(
          `the password of ${userName} can be opened by ${who}, not by ${custodians[index]?.address} alone`,
        );
      }
      const password = (opened[index] as PromiseFulfilledResult<string>).value;
      if (password.length < 32)
        throw new Error(`the password of ${userName} has ${password.length} characters, fewer than 32`);
      this.users.push(new EmergencyUser(userName, this.accountId, password));
    }
    return {
      detail: this.users
        .map(
          ({ name, passwordLength }, i) =>
            `${custodians[i]!.address} opened that of ${name}: ${passwordLength} characters`,
        )
        .join("\n"),
    };
  }

  private get first(): EmergencyUser {
    return this.users[0]!;
  }

  private get second(): EmergencyUser {
    return this.users[1]!;
  }

  private signIn(user: EmergencyUser, region: string): Promise<ConsoleSession> {
    return user.signIn(this.environment.proxy.url, region, this.options.signal);
  }

  private async actWithoutMfa(): Promise<StepFindings> {
    const session = await this.signIn(this.first, PRIMARY.region);
    if (session.mfa) throw new Error("the session claims a second factor that was not given");
    const iam = new IAMClient({ region: PRIMARY.region, ...this.client(session) });
    try {
      await iam.send(new ListUsersCommand());
    } catch (error) {
      if (!(error instanceof Error) || error.name !== "AccessDenied") throw error;
      return { detail: "denied", evidence: [{ label: "AWS", value: error.message }] };
    } finally {
      iam.destroy();
    }
    throw new Error("a call without a second factor was allowed");
  }

  private async enrol(): Promise<StepFindings> {
    const iam = new IAMClient(this.deployerSettings(PRIMARY.region));
    const serialNumbers = await Promise.all(this.users.map((user) => user.enrol(iam)));
    iam.destroy();
    return { detail: serialNumbers.join("\n") };
  }

  private deployerSettings(region: string) {
    return {
      region,
      endpoint: this.environment.proxy.url,
      credentials: this.environment.organization.deployer,
    };
  }

  private client(session: ConsoleSession) {
    return {
      endpoint: this.environment.proxy.url,
      credentials: session.credentials,
      maxAttempts: 1,
      requestHandler: { requestTimeout: NO_ANSWER_MS, throwOnRequestTimeout: true },
    };
  }

  private async signInAndAct(
    user: EmergencyUser,
    cell: LocalCell,
    act: () => Promise<string>,
  ): Promise<StepFindings> {
    this.session = await this.signIn(user, cell.region);
    if (!this.session.mfa) throw new Error("the session has no second factor");
    const signedInAt = Date.now();
    const waited =
      user.waitedMs < 1000
        ? ""
        : ` (after waiting ${Math.round(user.waitedMs / 1000)} s for the device's next code)`;
    const detail = `${await act()}${waited}`;
    const evidence: Evidence[] = [];
    // SNS's own mail needs no function and comes at once; the readable one is made by the cell's function.
    for (const kind of ["sns", "ses"] as const) {
      const mail = await waitFor(
        `a mail by ${kind.toUpperCase()} about the sign-in from ${cell.name} (${cell.region})`,
        async () => (await this.mailsAbout(user, cell, signedInAt)).find((each) => each.kind === kind),
        { timeoutMs: MAIL_TIMEOUT_MS, signal: this.options.signal },
      );
      this.mails.push({
        at: mail.at,
        region: cell.region,
        subject: mail.subject,
        to: mail.to,
        latencyMs: Math.max(0, Date.parse(mail.at) - signedInAt),
        text: mail.text,
      });
      evidence.push({ label: `Mail by ${kind.toUpperCase()} from ${cell.region}`, value: mail.text });
    }
    return { detail, evidence };
  }

  /** Mails about the sign-in with a second factor that ended at `signedInAt`; an earlier one's may still be on its way. */
  private async mailsAbout(user: EmergencyUser, cell: LocalCell, signedInAt: number): Promise<Mail[]> {
    const mails = await readInbox(this.environment.proxy.url);
    return mails.filter(({ region, text }) => {
      // Event times are whole seconds; earlier sign-ins with a second factor are many seconds away.
      const time = Date.parse(/^"?Time: +(\S+?)"?$/m.exec(text)?.[1] ?? "");
      return (
        region === cell.region &&
        [user.name, "ConsoleLogin"].every((it) => text.includes(it)) &&
        /^"?MFA: +Yes/m.test(text) &&
        time > signedInAt - 2000
      );
    });
  }

  private async listUsers(): Promise<string> {
    const iam = new IAMClient({ region: PRIMARY.region, ...this.client(this.session!) });
    const { Users } = await iam.send(new ListUsersCommand({ PathPrefix: "/break-glass/" }));
    iam.destroy();
    return `signed in with a second factor; listed ${Users!.length} emergency users`;
  }

  private async writeParameter(cell: LocalCell): Promise<string> {
    const settings = { region: cell.region, ...this.client(this.session!) };
    const sts = new STSClient(settings);
    const ssm = new SSMClient(settings);
    const { Arn } = await sts.send(new GetCallerIdentityCommand());
    await ssm.send(
      new PutParameterCommand({
        Name: "/bulkhead/drill",
        Value: "written during the outage",
        Type: "String",
        Overwrite: true,
      }),
    );
    sts.destroy();
    ssm.destroy();
    return `${Arn} acted in ${cell.region}`;
  }

  private async beginOutage(): Promise<StepFindings> {
    const { proxy } = this.environment;
    const session = this.session!;
    await proxy.setOutage({ regions: [PRIMARY.region], globalServices: true, mode: this.outageMode });
    this.outage = {
      regions: [PRIMARY.region],
      globalServices: true,
      mode: this.outageMode,
      startedAt: new Date().toISOString(),
    };
    proxy.label(OUTAGE);
    const unanswered = await Promise.all([
      this.demandNoAnswer(
        "SSM in us-east-1",
        new SSMClient({ region: PRIMARY.region, ...this.client(session) }),
        (ssm) =>
          ssm.send(
            new PutParameterCommand({ Name: "/bulkhead/lost", Value: "-", Type: "String", Overwrite: true }),
          ),
      ),
      this.demandNoAnswer("IAM", new IAMClient({ region: STANDBY.region, ...this.client(session) }), (iam) =>
        iam.send(new ListUsersCommand()),
      ),
      this.demandNoAnswer(
        "STS in us-east-1",
        new STSClient({ region: PRIMARY.region, ...this.client(session) }),
        (sts) => sts.send(new GetCallerIdentityCommand()),
      ),
    ]);
    const refusal = await this.first.refusalAt(proxy.url, PRIMARY.region);
    if (refusal?.status !== 503) throw new Error(`the sign-in address of ${PRIMARY.region} still answers`);
    return {
      detail: `no answer from: ${unanswered.join(", ")}`,
      evidence: [{ label: "Sign-in", value: refusal.message }],
    };
  }

  private async demandNoAnswer<C extends { destroy(): void }>(
    what: string,
    client: C,
    call: (client: C) => Promise<unknown>,
  ): Promise<string> {
    try {
      await call(client);
    } catch (error) {
      // An answer of AWS, even a denial, has a request id.
      const answered = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
      if (!answered) return what;
      throw new Error(`${what} answered ${answered} during the outage`, { cause: error });
    } finally {
      client.destroy();
    }
    throw new Error(`${what} answered during the outage`);
  }

  private async promoteStandby(): Promise<StepFindings> {
    const { proxy } = this.environment;
    const earlier = proxy.calls().length;
    const started = performance.now();
    const sides = await this.sides();
    const result = await promote({
      own: sides.standby,
      peer: sides.primary,
      by: `drill of ${this.accountId}`,
      reason: "us-east-1 is lost",
      declaredDead: PRIMARY.region,
    });
    const took = performance.now() - started;
    // The cell's functions go on meanwhile, with sessions of their roles: what the operator's own key asked for is the promotion.
    const calls = proxy
      .calls()
      .slice(earlier)
      .filter(({ credential }) => credential === "user");
    const answered = calls.filter(({ outcome }) => outcome === "passed");
    const strangers = answered.filter(
      ({ region, service }) => region !== STANDBY.region || service !== "dynamodb",
    );
    if (strangers.length) {
      throw new Error(
        `the promotion needed ${strangers.map(({ service, region }) => `${service} in ${region}`).join(", ")}`,
      );
    }
    return {
      detail: `epoch ${result.record.epoch}, ${Math.round(took)} ms, ${answered.length} answered calls, all to DynamoDB in ${STANDBY.region}`,
      evidence: result.writes.map((write) => ({
        label: `${write.cell} in ${write.region}`,
        value: write.outcome,
      })),
    };
  }

  private async sides() {
    const { organization } = this.environment;
    const outputs = await this.environment.driver.outputs(STANDBY.name);
    const side = ({ name, region }: LocalCell) => {
      const cell = normalizeCell({ name, region, accountId: String(organization.securityAccountId) });
      const client = new DynamoDBClient({ ...this.deployerSettings(region), maxAttempts: 1 });
      const tableName = activationTableName(cell);
      if (name === STANDBY.name && outputs.activationTableName !== tableName) {
        throw new Error(`the standby's table is ${outputs.activationTableName}, not ${tableName}`);
      }
      return {
        cell: name,
        region,
        store: new DynamoDbActivationStore({ client, tableName, region, timeoutMilliseconds: NO_ANSWER_MS }),
      };
    };
    return { primary: side(PRIMARY), standby: side(STANDBY) };
  }

  private async endOutage(): Promise<StepFindings> {
    await this.environment.proxy.setOutage(undefined);
    this.environment.proxy.label(undefined);
    this.outage!.endedAt = new Date().toISOString();
    const settings = this.deployerSettings(PRIMARY.region);
    const iam = new IAMClient(settings);
    const sts = new STSClient(settings);
    await Promise.all([iam.send(new ListUsersCommand()), sts.send(new GetCallerIdentityCommand())]);
    iam.destroy();
    sts.destroy();
    return { detail: "IAM and STS in us-east-1 answer" };
  }

  private async oneWriter(): Promise<StepFindings> {
    const { primary, standby } = await this.sides();
    const { writers, cells } = await status({ own: standby, peer: primary });
    if (writers !== "one") throw new Error(`${writers} of the cells act`);
    const acting = cells.find(({ decision }) => decision?.act);
    if (acting?.cell !== STANDBY.name) throw new Error(`${acting?.cell} acts, not the promoted cell`);
    return { detail: `${acting.cell} acts, ${PRIMARY.name} stands back` };
  }
}
