import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { IAMClient } from "@aws-sdk/client-iam";
import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { SSMClient } from "@aws-sdk/client-ssm";
import { checkActivation } from "../../shared/activation/check";
import { DynamoDbActivationStore } from "../../shared/activation/dynamoDbActivationStore";
import { REFUSALS } from "../../shared/activation/record";
import { clientSettings } from "../../shared/clients/clientSettings";
import { createLog } from "../../shared/logging/logger";
import { createCount } from "../../shared/logging/metrics";
import { noticeMessage } from "../../shared/notice/notice";
import { SsmParameterReader } from "../../shared/parameters/parameterReader";
import { IamIdentity } from "../custody/iamIdentity";
import { DynamoDbEvidenceStore } from "../records/dynamoDbEvidenceStore";
import { runRotation } from "./run";
import { readRotationSettings } from "./settings";

const FUNCTION = "breakglass-rotation";

const settings = readRotationSettings(process.env);
const { cell, region, peerCell, peerRegion } = settings;
const own = new DynamoDBClient(clientSettings());
const peer = new DynamoDBClient(clientSettings(peerRegion));
const parameters = new SsmParameterReader(new SSMClient(clientSettings()));
const sns = new SNSClient(clientSettings());
const iam = clientSettings(settings.iamRegion);
const identity = new IamIdentity(new IAMClient(iam), new IAMClient({ ...iam, maxAttempts: 1 }));

const activation = {
  own: {
    cell,
    region,
    store: new DynamoDbActivationStore({ client: own, tableName: settings.activationTable, region }),
  },
  peer: {
    cell: peerCell,
    region: peerRegion,
    store: new DynamoDbActivationStore({
      client: peer,
      tableName: settings.peerActivationTable,
      region: peerRegion,
    }),
  },
  by: FUNCTION,
};
const sides = [
  {
    cell,
    region,
    store: new DynamoDbEvidenceStore({ client: own, tableName: settings.evidenceTable, region }),
  },
  {
    cell: peerCell,
    region: peerRegion,
    store: new DynamoDbEvidenceStore({
      client: peer,
      tableName: settings.peerEvidenceTable,
      region: peerRegion,
    }),
  },
];

/** Gives emergency users a new password after a use. Started by a schedule; its event says nothing. */
export const handler = () =>
  runRotation({
    identity,
    sides,
    by: `${FUNCTION}@${cell}`,
    now: () => new Date(),
    newId: randomUUID,
    pause: async (milliseconds) => {
      await wait(milliseconds);
    },
    cell,
    region,
    users: settings.users,
    maximumUseHours: settings.maximumUseHours,
    passwordLength: settings.passwordLength,
    async standby() {
      const { decision } = await checkActivation(activation);
      return decision.act ? undefined : REFUSALS[decision.reason];
    },
    readParameter: (name) => parameters.read(name),
    async publish(notice) {
      await sns.send(new PublishCommand({ TopicArn: settings.topicArn, Message: noticeMessage(notice) }));
    },
    log: createLog(),
    count: createCount(),
  });
