import { CreateTableCommand, DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  IAMClient,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { KEY_ROTATOR_FUNCTIONS } from "../../components/keyRotator/names";
import { forEachOf } from "../../functions/keyRotation/engine/pool";
import type { KeyRotationSettingsInput } from "../../functions/keyRotation/settings";
import { ACTIVATION_TABLE_KEY, toItem } from "../../functions/shared/activation/item";
import { initialRecord } from "../../functions/shared/activation/record";
import { backDate, daysAgo } from "../../local/aws/keyHistory";

/** Account of the cells, in which centrally stored keys are. */
export const CENTRAL = "222222222222";
export const CELLS = { prod: "us-east-1", dr: "us-west-2" } as const;
const PREFIX = "bulkhead";
const EXTERNAL_ID = "bulkhead-4f1c";
const BUCKET = "bulkhead-keys-bench";

/** What the rotation's functions need, made in a local AWS. */
export interface RotationOnLocalAws {
  settings(cell: keyof typeof CELLS, other?: Partial<KeyRotationSettingsInput>): KeyRotationSettingsInput;
  queueUrl: string;
}

/** Settings of a client of an account's root, as the local AWS takes it. */
export function rootClient(url: string, accountId: string, region: string = CELLS.prod) {
  return {
    endpoint: url,
    region,
    credentials: { accessKeyId: accountId, secretAccessKey: "test" },
    maxAttempts: 3,
  };
}

/** Both cells' tables, bucket, queue and key. */
export async function createRotation(url: string): Promise<RotationOnLocalAws> {
  for (const [cell, region] of Object.entries(CELLS)) {
    const client = new DynamoDBClient(rootClient(url, CENTRAL, region));
    await client.send(table(`${PREFIX}-activation-${cell}`, [ACTIVATION_TABLE_KEY]));
    await client.send(table(`${PREFIX}-key-rotations-${cell}`, ["accountId", "userName"]));
    const item = toItem(initialRecord(cell, cell === "prod"));
    await client.send(new PutItemCommand({ TableName: `${PREFIX}-activation-${cell}`, Item: item }));
    client.destroy();
  }
  const central = rootClient(url, CENTRAL);
  await new S3Client({ ...central, forcePathStyle: true }).send(new CreateBucketCommand({ Bucket: BUCKET }));
  const { QueueUrl = "" } = await new SQSClient(central).send(
    new CreateQueueCommand({ QueueName: "key-notices" }),
  );
  // The local AWS names itself otherwise, and the SDK warns of that.
  const queueUrl = QueueUrl.replace("//localhost:", "//127.0.0.1:");
  const keys: Record<string, string> = {};
  for (const region of Object.values(CELLS)) {
    const { KeyMetadata } = await new KMSClient({ ...central, region }).send(new CreateKeyCommand({}));
    keys[region] = KeyMetadata?.Arn ?? "";
  }
  return {
    queueUrl,
    settings: (cell, other) => {
      const peer = cell === "prod" ? "dr" : "prod";
      return {
        mode: "enforce",
        cell: { name: cell, region: CELLS[cell], accountId: CENTRAL, namePrefix: PREFIX },
        peer: { name: peer, region: CELLS[peer] },
        memberRole: { name: `${PREFIX}/${PREFIX}-key-rotator-member`, externalId: EXTERNAL_ID },
        secrets: {
          region: CELLS.prod,
          kmsKeyId: keys[CELLS.prod],
          replicas: [{ region: CELLS.dr, kmsKeyId: keys[CELLS.dr] }],
        },
        records: {
          tableName: `${PREFIX}-key-rotations-${cell}`,
          peerTableName: `${PREFIX}-key-rotations-${peer}`,
        },
        bucket: { name: BUCKET },
        notifyQueueUrl: queueUrl,
        ...other,
      };
    },
  };
}

function table(TableName: string, keys: string[]) {
  return new CreateTableCommand({
    TableName,
    BillingMode: "PAY_PER_REQUEST",
    KeySchema: keys.map((AttributeName, index) => ({
      AttributeName,
      KeyType: index === 0 ? "HASH" : "RANGE",
    })),
    AttributeDefinitions: keys.map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
  });
}

/** A user with a key of this age. */
export interface AgedUser {
  name: string;
  ageDays: number;
  path?: string;
}

/** A member account with the rotation's role, and users whose keys are back-dated. @returns ids of the keys by user */
export async function createMember(
  url: string,
  accountId: string,
  users: readonly AgedUser[],
): Promise<Record<string, string>> {
  const iam = new IAMClient(rootClient(url, accountId));
  const RoleName = `${PREFIX}-key-rotator-member`;
  const document = (statement: object) => JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
  await iam.send(
    new CreateRoleCommand({
      RoleName,
      Path: `/${PREFIX}/`,
      AssumeRolePolicyDocument: document({
        Effect: "Allow",
        Principal: { AWS: `arn:aws:iam::${CENTRAL}:root` },
        Action: "sts:AssumeRole",
        Condition: { StringEquals: { "sts:ExternalId": EXTERNAL_ID } },
      }),
    }),
  );
  await iam.send(
    new PutRolePolicyCommand({
      RoleName,
      PolicyName: "access",
      PolicyDocument: document({ Effect: "Allow", Action: "iam:*", Resource: "*" }),
    }),
  );
  const ids: Record<string, string> = {};
  await forEachOf(users, 4, async ({ name, path }) => {
    await iam.send(new CreateUserCommand({ UserName: name, ...(path && { Path: path }) }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: name }));
    ids[name] = AccessKey?.AccessKeyId ?? "";
  });
  await backDate(
    url,
    users.map(({ name, ageDays }) => ({ accessKeyId: ids[name] ?? "", createDate: daysAgo(ageDays) })),
  );
  iam.destroy();
  return ids;
}

/** The environment in which the functions' code finds the local AWS. Names as in {@link KEY_ROTATOR_FUNCTIONS}. */
export function functionEnvironment(
  url: string,
  region: string,
  settings: KeyRotationSettingsInput,
): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: url,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: CENTRAL,
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_EC2_METADATA_DISABLED: "true",
    POWERTOOLS_SERVICE_NAME: `${PREFIX}-${KEY_ROTATOR_FUNCTIONS.account}`,
    POWERTOOLS_LOG_LEVEL: "SILENT",
    POWERTOOLS_METRICS_DISABLED: "true",
    KEY_ROTATION_SETTINGS: JSON.stringify(settings),
  };
}
