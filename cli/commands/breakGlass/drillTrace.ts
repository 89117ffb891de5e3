import { useTableName } from "../../../components/breakGlassAccount/useNames";
import { functionNames } from "../../../components/lambda/functionNames";
import { type Cell, regionalName } from "../../../components/regional/cell";
import { USE_TRACKER } from "../../../functions/breakGlass/readiness/expectedRules";
import type { Unread, UseTrace } from "../../../functions/breakGlass/runbook/trace";
import { DynamoDbUseStore } from "../../../functions/breakGlass/use/dynamoDbUseStore";
import { clientSettings } from "../../../functions/shared/clients/clientSettings";

/** A metric has a value for each minute; the minute of the beginning counts. */
const PERIOD_SECONDS = 60;

/** Asks a cell's table, function and queues what they know of a user's use. What does not answer says so in its place. */
export async function readTrace(
  cell: Cell,
  userName: string,
  since: Date,
  settings: object = clientSettings(cell.region),
): Promise<UseTrace> {
  const { DynamoDBClient } = require("@aws-sdk/client-dynamodb") as typeof import("@aws-sdk/client-dynamodb");
  const { CloudWatchClient, GetMetricStatisticsCommand } =
    require("@aws-sdk/client-cloudwatch") as typeof import("@aws-sdk/client-cloudwatch");
  const { GetQueueAttributesCommand, GetQueueUrlCommand, SQSClient } =
    require("@aws-sdk/client-sqs") as typeof import("@aws-sdk/client-sqs");
  const { functionName, deadLetterQueueName } = functionNames(cell, USE_TRACKER);
  const dynamoDb = new DynamoDBClient(settings);
  const cloudWatch = new CloudWatchClient(settings);
  const sqs = new SQSClient(settings);

  const runs = async (MetricName: "Invocations" | "Errors") => {
    const { Datapoints = [] } = await cloudWatch.send(
      new GetMetricStatisticsCommand({
        Namespace: "AWS/Lambda",
        MetricName,
        Dimensions: [{ Name: "FunctionName", Value: functionName }],
        StartTime: new Date(since.getTime() - PERIOD_SECONDS * 1000),
        EndTime: new Date(),
        Period: PERIOD_SECONDS,
        Statistics: ["Sum"],
      }),
    );
    return Datapoints.reduce((sum, { Sum = 0 }) => sum + Sum, 0);
  };
  const waiting = async (QueueName: string) => {
    const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName }));
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["ApproximateNumberOfMessages"] }),
    );
    return Number(Attributes?.ApproximateNumberOfMessages ?? 0);
  };
  const queues = [regionalName(cell, "breakglass-undelivered"), deadLetterQueueName];
  const [use, all, failed, ...counts] = await Promise.all([
    answer(new DynamoDbUseStore(dynamoDb, useTableName(cell)).open(userName)),
    answer(runs("Invocations")),
    answer(runs("Errors")),
    ...queues.map((name) => answer(waiting(name))),
  ]);
  for (const client of [dynamoDb, cloudWatch, sqs]) client.destroy();
  return {
    use,
    runs: typeof all === "number" && typeof failed === "number" ? { all, failed } : unread(all, failed),
    waiting: Object.fromEntries(queues.map((name, index) => [name, counts[index]!])),
  };
}

const unread = (...answers: (number | Unread)[]): Unread =>
  answers.find((one): one is Unread => typeof one !== "number")!;

async function answer<T>(asked: Promise<T>): Promise<T | Unread> {
  try {
    return await asked;
  } catch (error) {
    return { unread: error instanceof Error ? error.name : "no answer" };
  }
}
