/**
 * All resource types that the stand-in implements.
 *
 * To add one:
 * 1. Look up its inputs and outputs in `@pulumi/aws` (the `XArgs` interface and the class `X` of its .d.ts file) and its defaults and
 *    replacing inputs in the genuine provider's documentation.
 * 2. Write the handler in the file of its service and add it to that file's list:
 *
 *        const logStream = define("logs", {
 *          type: "aws:cloudwatch/logStream:LogStream",
 *          autoname: { property: "name", maxLength: 512 },
 *          inputs: { name: str({ replaces: true }), logGroupName: str({ required: true, replaces: true }) },
 *          outputs: ["arn"],
 *          async create(logs, { name, logGroupName }) {
 *            await logs.createLogStream({ logStreamName: name, logGroupName });
 *            return name;
 *          },
 *          async read(logs, id, { logGroupName }) {
 *            const { logStreams } = await logs.describeLogStreams({ logGroupName, logStreamNamePrefix: id });
 *            const stream = logStreams?.find((found) => found.logStreamName === id);
 *            return stream && { name: id, logGroupName, arn: stream.arn };
 *          },
 *          async delete(logs, id, { logGroupName }) {
 *            await logs.deleteLogStream({ logStreamName: id, logGroupName });
 *          },
 *        });
 *
 *    The core does the rest: checking, defaults, names, regions, default tags, previews, differences, waiting for the resource to
 *    appear, "is gone already", taking over what a killed run left behind. An input that is not declared is refused by name; `advice`
 *    says what to do instead. A new service is one line in `SDK` of context.ts.
 * 3. Add a case to tests/provider/cases: the suite walks every type through its life, and fails for types without a case.
 */
import type { Handler } from "../handler";
import { apigatewayv2Handlers } from "./apigatewayv2";
import { cloudformationHandlers } from "./cloudformation";
import { cloudtrailHandlers } from "./cloudtrail";
import { cloudwatchHandlers } from "./cloudwatch";
import { dynamodbHandlers } from "./dynamodb";
import { ec2Handlers } from "./ec2";
import { eventSourceMappingHandlers } from "./eventSourceMappings";
import { eventsHandlers } from "./events";
import { iamHandlers } from "./iam";
import { kmsHandlers } from "./kms";
import { kmsReplicaKeyHandlers } from "./kmsReplicaKeys";
import { lambdaHandlers } from "./lambda";
import { logsHandlers } from "./logs";
import { s3Handlers } from "./s3";
import { sfnHandlers } from "./sfn";
import { snsHandlers } from "./sns";
import { sqsHandlers } from "./sqs";
import { ssmHandlers } from "./ssm";

/** The handlers by type token. */
export const HANDLERS: ReadonlyMap<string, Handler> = new Map(
  [
    iamHandlers,
    snsHandlers,
    sqsHandlers,
    eventsHandlers,
    logsHandlers,
    cloudwatchHandlers,
    kmsHandlers,
    lambdaHandlers,
    dynamodbHandlers,
    cloudformationHandlers,
    ec2Handlers,
    ssmHandlers,
    s3Handlers,
    cloudtrailHandlers,
    sfnHandlers,
    eventSourceMappingHandlers,
    apigatewayv2Handlers,
    kmsReplicaKeyHandlers,
  ]
    .flat()
    .map((handler) => [handler.type, handler]),
);
