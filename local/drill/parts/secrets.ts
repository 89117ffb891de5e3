/** The search for what may stand nowhere. */
import * as fs from "node:fs";
import * as path from "node:path";
import {
  CloudWatchLogsClient,
  paginateDescribeLogGroups,
  paginateFilterLogEvents,
} from "@aws-sdk/client-cloudwatch-logs";
import { DynamoDBClient, paginateListTables, paginateScan } from "@aws-sdk/client-dynamodb";
import { GetObjectCommand, ListBucketsCommand, paginateListObjectsV2, S3Client } from "@aws-sdk/client-s3";
import { readInbox } from "../../aws/inbox";
import { PRIMARY, STANDBY } from "../../environment";
import type { DrillContext } from "../context";
import type { StepFindings } from "../runner";

/** A text and where it stands. */
type Text = readonly [place: string, text: string];

/**
 * Looks for every password, seed and access key that came up in the drill, as it is, in base64 and in hex: in the stacks' state and files, both cells'
 * logs, tables and buckets, and all mails.
 *
 * @param accessKeys the secret halves of access keys, of users in member accounts
 */
export async function noSecretAnywhere(
  context: DrillContext,
  accessKeys: readonly string[],
): Promise<StepFindings> {
  const secrets = [...context.users.flatMap((user) => user.secrets), ...accessKeys].flatMap(forms);
  const texts: Text[] = [
    ...files(path.dirname(context.environment.projectDir)),
    ...(await readInbox(context.environment.proxy.url)).map(
      (mail): Text => [`mail "${mail.subject}"`, JSON.stringify(mail)],
    ),
  ];
  for (const { region } of [PRIMARY, STANDBY])
    texts.push(...(await keptIn(context.deployerSettings(region))));
  const found = texts.filter(([, text]) => secrets.some((secret) => text.includes(secret)));
  if (found.length) throw new Error(`a secret stands in ${found.map(([place]) => place).join(", ")}`);
  const bytes = texts.reduce((sum, [, text]) => sum + text.length, 0);
  return {
    detail: `${secrets.length / 3} secrets in three forms are in none of ${texts.length} places, ${Math.round(bytes / 1024)} KiB`,
  };
}

/** Everything that a region of the account keeps: logs, tables, objects. */
export async function keptIn(settings: Settings): Promise<Text[]> {
  const texts: Text[] = [];
  for (const source of [logs, tables, objects]) texts.push(...(await source(settings)));
  return texts;
}

function forms(secret: string): string[] {
  const bytes = Buffer.from(secret);
  // Without its last characters, the base64 form stays the same inside a longer text that begins with it.
  return [secret, bytes.toString("base64").slice(0, -4), bytes.toString("hex")];
}

function files(folder: string): Text[] {
  return fs
    .readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((file) => path.join(folder, file))
    .filter((file) => fs.statSync(file).isFile())
    .map((file) => [file, fs.readFileSync(file, "utf8")]);
}

type Settings = ReturnType<DrillContext["deployerSettings"]>;

async function logs(settings: Settings): Promise<Text[]> {
  const client = new CloudWatchLogsClient(settings);
  const texts: Text[] = [];
  for await (const { logGroups = [] } of paginateDescribeLogGroups({ client }, {})) {
    for (const { logGroupName } of logGroups) {
      for await (const { events = [] } of paginateFilterLogEvents({ client }, { logGroupName })) {
        texts.push([
          `${logGroupName} in ${settings.region}`,
          events.map(({ message }) => message).join("\n"),
        ]);
      }
    }
  }
  client.destroy();
  return texts;
}

async function tables(settings: Settings): Promise<Text[]> {
  const client = new DynamoDBClient(settings);
  const texts: Text[] = [];
  for await (const { TableNames = [] } of paginateListTables({ client }, {})) {
    for (const TableName of TableNames) {
      for await (const { Items } of paginateScan({ client }, { TableName })) {
        texts.push([`${TableName} in ${settings.region}`, JSON.stringify(Items)]);
      }
    }
  }
  client.destroy();
  return texts;
}

async function objects(settings: Settings): Promise<Text[]> {
  const client = new S3Client({ ...settings, forcePathStyle: true });
  const texts: Text[] = [];
  const { Buckets = [] } = await client.send(new ListBucketsCommand({ BucketRegion: settings.region }));
  for (const { Name: Bucket } of Buckets) {
    for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket: Bucket! })) {
      for (const { Key } of Contents) {
        // A trail's files are packed, and say nothing that the log group does not.
        if (Key!.endsWith(".gz")) continue;
        const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
        texts.push([`${Bucket}/${Key}`, (await Body?.transformToString()) ?? ""]);
      }
    }
  }
  client.destroy();
  return texts;
}
