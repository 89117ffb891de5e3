import {
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  ListBackupsCommand,
  ListTagsOfResourceCommand,
} from "@aws-sdk/client-dynamodb";
import { DescribeKeyCommand, ListAliasesCommand, ListResourceTagsCommand } from "@aws-sdk/client-kms";
import {
  GetFunctionConfigurationCommand,
  ListEventSourceMappingsCommand,
  ListTagsCommand,
} from "@aws-sdk/client-lambda";
import { type Describer, inputText } from "../describer";
import { details, items, missing, subject, tagMap } from "../inquiry";

/** A table with its backups. */
export const DELETE_TABLE: Describer = {
  actions: [
    "dynamodb:DescribeTable",
    "dynamodb:DescribeContinuousBackups",
    "dynamodb:ListBackups",
    "dynamodb:ListTagsOfResource",
  ],
  async describe(plan, { dynamodb }, inquiry) {
    const [arn] = plan.targets as [string];
    const name = inputText(plan, "TableName");
    const answer = await inquiry.ask("the table", () =>
      dynamodb.send(new DescribeTableCommand({ TableName: name })),
    );
    if (!("value" in answer)) return [missing(arn, answer)];
    const { Table: table } = answer.value;
    if (!table) return [subject(arn, { presence: "absent" })];
    const continuous = await inquiry.list("continuous backups", () =>
      dynamodb.send(new DescribeContinuousBackupsCommand({ TableName: name })),
    );
    const backups = await inquiry.list("backups", () =>
      dynamodb.send(new ListBackupsCommand({ TableName: name, BackupType: "ALL" })),
    );
    const tags = await inquiry.list("tags", () =>
      dynamodb.send(new ListTagsOfResourceCommand({ ResourceArn: arn })),
    );
    const recovery =
      continuous?.ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus;
    return [
      subject(arn, {
        tags: tags && tagMap(tags.Tags),
        details: [
          ...details({ State: table.TableStatus, "Point-in-time recovery": recovery?.toLowerCase() }),
          ...details({ Items: table.ItemCount, Bytes: table.TableSizeBytes }).map((detail) => ({
            ...detail,
            live: true,
          })),
        ],
        lost: items("index", table.GlobalSecondaryIndexes?.map(({ IndexName }) => IndexName) ?? []),
        kept: [
          // DynamoDB takes a backup of 35 days when a table with point-in-time recovery is deleted.
          ...(recovery === "ENABLED" ? [{ kind: "system backup", id: "of 35 days" }] : []),
          ...items("backup", backups?.BackupSummaries?.map(({ BackupName }) => BackupName) ?? []),
          ...items("replica", table.Replicas?.map(({ RegionName }) => RegionName) ?? []),
        ],
        obstacles: table.DeletionProtectionEnabled ? ["deletion protection is on"] : [],
      }),
    ];
  },
};

/** A key with its aliases. */
export const SCHEDULE_KEY_DELETION: Describer = {
  actions: ["kms:DescribeKey", "kms:ListAliases", "kms:ListResourceTags"],
  async describe(plan, { kms }, inquiry) {
    const [arn] = plan.targets as [string];
    const id = inputText(plan, "KeyId");
    const answer = await inquiry.ask("the key", () => kms.send(new DescribeKeyCommand({ KeyId: id })));
    if (!("value" in answer)) return [missing(arn, answer)];
    const { KeyMetadata: key } = answer.value;
    if (!key) return [subject(arn, { presence: "absent" })];
    const aliases = await inquiry.list("aliases", () => kms.send(new ListAliasesCommand({ KeyId: id })));
    const tags = await inquiry.list("tags", () => kms.send(new ListResourceTagsCommand({ KeyId: id })));
    return [
      subject(arn, {
        tags:
          tags &&
          Object.fromEntries((tags.Tags ?? []).map(({ TagKey = "", TagValue = "" }) => [TagKey, TagValue])),
        details: details({
          Description: key.Description,
          State: key.KeyState,
          Usage: key.KeyUsage,
          "Several regions": key.MultiRegion,
          "Can be cancelled for": `${plan.operation.input.PendingWindowInDays ?? 30} days`,
        }),
        lost: items("alias", aliases?.Aliases?.map(({ AliasName }) => AliasName) ?? []),
        obstacles: key.KeyState === "PendingDeletion" ? ["its deletion is scheduled already"] : [],
      }),
    ];
  },
};

/** A function with what calls it. */
export const DELETE_FUNCTION: Describer = {
  actions: ["lambda:GetFunctionConfiguration", "lambda:ListEventSourceMappings", "lambda:ListTags"],
  async describe(plan, { lambda }, inquiry) {
    const [arn] = plan.targets as [string];
    const name = inputText(plan, "FunctionName");
    const answer = await inquiry.ask("the function", () =>
      lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name })),
    );
    if (!("value" in answer)) return [missing(arn, answer)];
    const sources = await inquiry.list("event sources", () =>
      lambda.send(new ListEventSourceMappingsCommand({ FunctionName: name })),
    );
    const tags = await inquiry.list("tags", () => lambda.send(new ListTagsCommand({ Resource: arn })));
    const { Runtime, Description, State } = answer.value;
    return [
      subject(arn, {
        tags: tags && (tags.Tags ?? {}),
        details: details({ Runtime, State, Description }),
        affected: items(
          "event source",
          sources?.EventSourceMappings?.map(({ EventSourceArn }) => EventSourceArn) ?? [],
        ),
      }),
    ];
  },
};
