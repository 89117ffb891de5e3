/** Losing the primary region, promoting the standby, and the way back. */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { IAMClient, ListUsersCommand } from "@aws-sdk/client-iam";
import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { activationTableName } from "../../../components/activation/names";
import { normalizeCell } from "../../../components/regional/cell";
import { DynamoDbActivationStore } from "../../../functions/shared/activation/dynamoDbActivationStore";
import { promote, status } from "../../../functions/shared/activation/promote";
import { type LocalCell, PRIMARY, STANDBY } from "../../environment";
import { type DrillContext, NO_ANSWER_MS, OUTAGE } from "../context";
import type { StepFindings } from "../runner";

export async function beginOutage(context: DrillContext): Promise<StepFindings> {
  const { proxy } = context.environment;
  const session = context.session!;
  await proxy.setOutage({ regions: [PRIMARY.region], globalServices: true, mode: context.outageMode });
  context.outage = {
    regions: [PRIMARY.region],
    globalServices: true,
    mode: context.outageMode,
    startedAt: new Date().toISOString(),
  };
  proxy.label(OUTAGE);
  const unanswered = await Promise.all([
    demandNoAnswer(
      context,
      "SSM in us-east-1",
      new SSMClient({ region: PRIMARY.region, ...context.client(session) }),
      (ssm) =>
        ssm.send(
          new PutParameterCommand({ Name: "/bulkhead/lost", Value: "-", Type: "String", Overwrite: true }),
        ),
    ),
    demandNoAnswer(
      context,
      "IAM",
      new IAMClient({ region: STANDBY.region, ...context.client(session) }),
      (iam) => iam.send(new ListUsersCommand()),
    ),
    demandNoAnswer(
      context,
      "STS in us-east-1",
      new STSClient({ region: PRIMARY.region, ...context.client(session) }),
      (sts) => sts.send(new GetCallerIdentityCommand()),
    ),
  ]);
  const refusal = await context.first.refusalAt(proxy.url, PRIMARY.region);
  if (refusal?.status !== 503) throw new Error(`the sign-in address of ${PRIMARY.region} still answers`);
  return {
    detail: `no answer from: ${unanswered.join(", ")}`,
    evidence: [{ label: "Sign-in", value: refusal.message }],
  };
}

async function demandNoAnswer<C extends { destroy(): void }>(
  _context: DrillContext,
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

export async function promoteStandby(context: DrillContext): Promise<StepFindings> {
  const { proxy } = context.environment;
  const earlier = proxy.calls().length;
  const started = performance.now();
  const { primary, standby } = await sides(context);
  const result = await promote({
    own: standby,
    peer: primary,
    by: `drill of ${context.accountId}`,
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

async function sides(context: DrillContext) {
  const { organization } = context.environment;
  const outputs = await context.environment.driver.outputs(STANDBY.name);
  const side = ({ name, region }: LocalCell) => {
    const cell = normalizeCell({ name, region, accountId: String(organization.securityAccountId) });
    const client = new DynamoDBClient({ ...context.deployerSettings(region), maxAttempts: 1 });
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

export async function endOutage(context: DrillContext): Promise<StepFindings> {
  await context.environment.proxy.setOutage(undefined);
  context.environment.proxy.label(undefined);
  context.outage!.endedAt = new Date().toISOString();
  const settings = context.deployerSettings(PRIMARY.region);
  const iam = new IAMClient(settings);
  const sts = new STSClient(settings);
  await Promise.all([iam.send(new ListUsersCommand()), sts.send(new GetCallerIdentityCommand())]);
  iam.destroy();
  sts.destroy();
  return { detail: "IAM and STS in us-east-1 answer" };
}

export async function oneWriter(context: DrillContext): Promise<StepFindings> {
  const { primary, standby } = await sides(context);
  const { writers, cells } = await status({ own: standby, peer: primary });
  if (writers !== "one") throw new Error(`${writers} of the cells act`);
  const acting = cells.find(({ decision }) => decision?.act);
  if (acting?.cell !== STANDBY.name) throw new Error(`${acting?.cell} acts, not the promoted cell`);
  return { detail: `${acting.cell} acts, ${PRIMARY.name} stands back` };
}
