/** The pages with AWS behind them. */
import { randomUUID } from "node:crypto";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { IAMClient } from "@aws-sdk/client-iam";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { S3Client } from "@aws-sdk/client-s3";
import { SSMClient } from "@aws-sdk/client-ssm";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { arn, iamControlPlaneRegion, partitionOf } from "../../../components/regional/partition";
import { clientSettings } from "../../shared/clients/clientSettings";
import { createLog } from "../../shared/logging/logger";
import { SsmParameterReader } from "../../shared/parameters/parameterReader";
import { auditJournal } from "../audit/dynamoDbAudit";
import { documentSource } from "../directory/documentSource";
import { IamUserCheck } from "../directory/iamUserCheck";
import { People } from "../directory/people";
import { DynamoDbRequestTable } from "../links/dynamoDbRequestTable";
import { LambdaEngine } from "./engine";
import type { AppParts } from "./parts";
import { Seal } from "./seal";
import { Sessions } from "./session";
import type { PagesSettings } from "./settings";
import { operationsOf } from "./settings";
import { OidcSignIn } from "./signIn";
import { HttpSlackAnswers } from "./slack";

/** Puts the pages together. */
export function composeApp(settings: PagesSettings): AppParts {
  const { cell, region, baseUrl, timeZone, language, oidc, slack, cookieKeyParameter } = settings;
  const log = createLog();
  const now = Date.now;
  const ssm = new SSMClient(clientSettings());
  const parameters = new SsmParameterReader(ssm);
  return {
    cell,
    region,
    baseUrl,
    timeZone,
    language,
    acting: settings.acting ?? (oidc ? "signIn" : "code"),
    operations: operationsOf(settings),
    table: new DynamoDbRequestTable(
      new DynamoDBClient(clientSettings()),
      settings.requestsTable,
      auditJournal(settings.auditTable, cell),
    ),
    people: new People({
      source: documentSource(settings.directory, { s3: new S3Client(clientSettings()), ssm }),
      log,
      ...iamCheck(settings),
    }),
    engine: new LambdaEngine(new LambdaClient(clientSettings()), settings.engineFunction),
    ...(oidc &&
      cookieKeyParameter !== undefined && { signIn: signInParts(settings, cookieKeyParameter, parameters) }),
    ...(slack && { slack: { ...slack, parameters, answers: new HttpSlackAnswers() } }),
    log,
    now,
    newId: randomUUID,
  };
}

function signInParts(
  { oidc, baseUrl, sessionSeconds }: PagesSettings,
  cookieKeyParameter: string,
  parameters: SsmParameterReader,
): NonNullable<AppParts["signIn"]> {
  const seal = new Seal(cookieKeyParameter, parameters, Date.now);
  return {
    seal,
    sessions: new Sessions(seal, sessionSeconds, Date.now),
    provider: new OidcSignIn(oidc!, `${baseUrl}/callback`, parameters),
  };
}

/** IAM answers from its control plane's region; its clients for other accounts assume a role at the function's own STS endpoint. */
function iamCheck({ iamUsers, region }: PagesSettings) {
  if (!iamUsers) return {};
  const { accounts, ownAccount, role, activeWithoutAnswer } = iamUsers;
  const partition = partitionOf(region);
  const base = clientSettings(iamControlPlaneRegion(partition));
  const sts = new STSClient(clientSettings());
  const clients = new Map(
    accounts.map((account) => {
      if (account === ownAccount) return [account, new IAMClient(base)];
      const RoleArn = arn({ partition, service: "iam", account, resource: `role/${role}` });
      const credentials = async () => {
        const { Credentials } = await sts.send(
          new AssumeRoleCommand({
            RoleArn,
            RoleSessionName: "bulkhead-approval-pages",
            DurationSeconds: 900,
          }),
        );
        return {
          accessKeyId: Credentials!.AccessKeyId!,
          secretAccessKey: Credentials!.SecretAccessKey!,
          sessionToken: Credentials!.SessionToken!,
          expiration: Credentials!.Expiration!,
        };
      };
      return [account, new IAMClient({ ...base, credentials })];
    }),
  );
  return { check: new IamUserCheck((account) => clients.get(account)), activeWithoutAnswer };
}
