import { IAMClient } from "@aws-sdk/client-iam";
import { S3Client } from "@aws-sdk/client-s3";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SQSClient } from "@aws-sdk/client-sqs";
import { STSClient } from "@aws-sdk/client-sts";
import { arn, partitionOf } from "../../../components/regional/partition";
import { clientSettings } from "../../shared/clients/clientSettings";
import { errorFields } from "../../shared/errors/errorFields";
import { createLog } from "../../shared/logging/logger";
import { createCount } from "../../shared/logging/metrics";
import { ActivationGate } from "../adapters/activationGate";
import { assumedRole } from "../adapters/assumedRole";
import { AwsIam } from "../adapters/awsIam";
import { AwsSecrets } from "../adapters/awsSecrets";
import { connectCells } from "../adapters/cells";
import { DynamoDbRecords } from "../adapters/dynamoDbRecords";
import { S3Objects } from "../adapters/objects";
import { SqsNotifier } from "../adapters/sqsNotifier";
import { systemClock } from "../adapters/systemClock";
import { runAccount } from "../engine/account";
import { readEvent } from "../event";
import { readSettings } from "../settings";
import { type AccountAnswer, type AccountEvent, accountEventSchema, answerOf, contextOf } from "./work";

const settings = readSettings();
const log = createLog();
const count = createCount();
const cells = connectCells(settings);
const sts = new STSClient(clientSettings());
// The endpoint is the cell's own (or, in local mode, the one that is said), not the host in the queue's URL.
const sqs = new SQSClient({ ...clientSettings(), useQueueUrlAsEndpoint: false });
const objects = new S3Objects(new S3Client(clientSettings()), settings.bucket.name);
const centralSecrets = new SecretsManagerClient(clientSettings(settings.secrets.region));

/** Time that is left for what was begun when no more is begun. */
const SPARE_MILLISECONDS = 120_000;

/** Works on one account: a run, a plan of one, or one user now. */
export async function handler(
  event: unknown,
  context?: { getRemainingTimeInMillis?(): number },
): Promise<AccountAnswer> {
  const input = readEvent(accountEventSchema, event);
  const result = await runAccount({
    ...contextOf(input, settings, portsFor(input)),
    timeIsUp: () => (context?.getRemainingTimeInMillis?.() ?? Number.POSITIVE_INFINITY) < SPARE_MILLISECONDS,
    onError: (error) =>
      log.warn("Account not finished", { account: input.account.id, ...errorFields(error) }),
  });
  const { outcomes, users, status, reason } = result;
  const done = outcomes.flatMap((outcome) => outcome.done).length;
  const failed = outcomes.flatMap((outcome) => outcome.failed).length;
  log.info("Account done", {
    runId: input.runId,
    account: input.account.id,
    status,
    reason,
    users,
    done,
    failed,
  });
  if (status === "failed" || failed > 0) count.add("KeyRotationFailures", { account: input.account.id });
  return answerOf(input.runId, result, async (keys) => {
    const key = `${settings.bucket.prefix}runs/${input.runId}/keys/${input.account.id}.json`;
    await objects.put(key, JSON.stringify(keys), "application/json");
    return key;
  });
}

function portsFor({ account, runId }: AccountEvent) {
  const credentials = assumedRole(sts, {
    arn: arn({
      partition: partitionOf(settings.cell.region),
      service: "iam",
      account: account.id,
      resource: `role/${settings.memberRole.name}`,
    }),
    externalId: settings.memberRole.externalId,
    sessionName: `bulkhead-keys-${runId}`.slice(0, 64),
  });
  const gate = new ActivationGate(cells.own, cells.peer, "key-rotation");
  const iam = { ...clientSettings(), credentials };
  const { storage, region, kmsKeyId, replicas } = settings.secrets;
  const secretsClient =
    storage === "central"
      ? centralSecrets
      : new SecretsManagerClient({ ...clientSettings(region), credentials });
  return {
    iam: new AwsIam(new IAMClient(iam), new IAMClient({ ...iam, maxAttempts: 1 })),
    secrets: new AwsSecrets(secretsClient, { kmsKeyId, replicas }),
    records: new DynamoDbRecords(cells.ownRecords, cells.peerRecords, () => gate.peerHasToAnswer),
    gate,
    notifier: new SqsNotifier(sqs, settings.notifyQueueUrl),
    clock: systemClock,
  };
}
