/** DynamoDB. */
import type {
  AttributeValue,
  GlobalSecondaryIndexUpdate,
  KeySchemaElement,
  ReplicationGroupUpdate,
  TableDescription,
} from "@aws-sdk/client-dynamodb";
import type { Client } from "../context";
import { isGone, StandInError } from "../errors";
import {
  type Call,
  define,
  type Handler,
  idParts,
  pages,
  someTags,
  syncTags,
  tagList,
  tagMap,
} from "../handler";
import { bool, equal, json, map, num, obj, set, str } from "../schema";
import type { Props } from "../types";
import { until } from "../wait";

type Dynamo = Client<"dynamodb">;

const PROJECTIONS = ["ALL", "KEYS_ONLY", "INCLUDE"];

const globalIndex = obj({
  name: str({ required: true }),
  hashKey: str({ required: true }),
  rangeKey: str(),
  projectionType: str({ required: true, values: PROJECTIONS }),
  nonKeyAttributes: set(str()),
  readCapacity: num({ computed: true }),
  writeCapacity: num({ computed: true }),
});

const replica = obj({
  regionName: str({ required: true }),
  kmsKeyArn: str({ computed: true }),
  pointInTimeRecovery: bool({ default: false }),
});

function keySchema(hashKey: string, rangeKey: string | undefined): KeySchemaElement[] {
  const range: KeySchemaElement[] = rangeKey ? [{ AttributeName: rangeKey, KeyType: "RANGE" }] : [];
  return [{ AttributeName: hashKey, KeyType: "HASH" }, ...range];
}

function keysOf(schema: readonly KeySchemaElement[] | undefined): Props {
  const of = (type: string) => schema?.find((element) => element.KeyType === type)?.AttributeName;
  return { hashKey: of("HASH"), rangeKey: of("RANGE") };
}

function throughput(inputs: Props) {
  const { readCapacity, writeCapacity } = inputs;
  if (readCapacity === undefined && writeCapacity === undefined) return undefined;
  return { ReadCapacityUnits: readCapacity ?? 1, WriteCapacityUnits: writeCapacity ?? 1 };
}

function attributeDefinitions(inputs: Props) {
  return inputs.attributes?.map((one: Props) => ({ AttributeName: one.name, AttributeType: one.type }));
}

function indexOf(index: Props, isProvisioned: boolean) {
  return {
    IndexName: index.name,
    KeySchema: keySchema(index.hashKey, index.rangeKey),
    Projection: { ProjectionType: index.projectionType, NonKeyAttributes: index.nonKeyAttributes },
    ...(isProvisioned && { ProvisionedThroughput: throughput(index) ?? throughput({ readCapacity: 1 }) }),
  };
}

function encryption(inputs: Props) {
  const sse = inputs.serverSideEncryption;
  // Off means AWS's own key: tables are always encrypted.
  return (
    sse && {
      Enabled: sse.enabled,
      ...(sse.enabled && { SSEType: "KMS" as const, KMSMasterKeyId: sse.kmsKeyArn }),
    }
  );
}

function streams(inputs: Props) {
  if (inputs.streamEnabled === undefined) return undefined;
  return {
    StreamEnabled: inputs.streamEnabled,
    ...(inputs.streamEnabled && { StreamViewType: inputs.streamViewType }),
  };
}

async function describe(dynamo: Dynamo, TableName: string): Promise<TableDescription> {
  return (await dynamo.describeTable({ TableName })).Table!;
}

/** Waits until the table, its indexes and its replicas take the next change. */
async function active(dynamo: Dynamo, name: string): Promise<void> {
  await until(
    `table ${name} becoming active`,
    async () => {
      const table = await describe(dynamo, name);
      const parts = [
        table.TableStatus,
        ...(table.GlobalSecondaryIndexes ?? []).map((index) => index.IndexStatus),
        ...(table.Replicas ?? []).map((one) => one.ReplicaStatus),
      ];
      return parts.every((status) => status === undefined || status === "ACTIVE");
    },
    { timeoutMs: 300_000 },
  );
}

async function setRecovery(dynamo: Dynamo, TableName: string, recovery: Props | undefined): Promise<void> {
  const enabled = recovery?.enabled ?? false;
  await dynamo.updateContinuousBackups({
    TableName,
    PointInTimeRecoverySpecification: {
      PointInTimeRecoveryEnabled: enabled,
      ...(enabled && { RecoveryPeriodInDays: recovery?.recoveryPeriodInDays }),
    },
  });
}

async function recoveryOf(dynamo: Dynamo, TableName: string): Promise<Props> {
  const { ContinuousBackupsDescription } = await dynamo.describeContinuousBackups({ TableName });
  const recovery = ContinuousBackupsDescription?.PointInTimeRecoveryDescription;
  const enabled = recovery?.PointInTimeRecoveryStatus === "ENABLED";
  return { enabled, ...(enabled && { recoveryPeriodInDays: recovery?.RecoveryPeriodInDays }) };
}

async function setTtl(dynamo: Dynamo, TableName: string, olds: Props | undefined, news: Props | undefined) {
  const wanted = news?.enabled ? news : undefined;
  const AttributeName = wanted?.attributeName ?? olds?.attributeName;
  if (!AttributeName || (!wanted && !olds?.enabled)) return;
  await dynamo.updateTimeToLive({
    TableName,
    TimeToLiveSpecification: { AttributeName, Enabled: wanted !== undefined },
  });
}

/** Replicas are added and removed one at a time; what is set in each is set in its own region. */
async function setReplicas(
  dynamo: Dynamo,
  name: string,
  olds: Props[],
  news: Props[],
  call: Call,
): Promise<void> {
  const update = async (change: ReplicationGroupUpdate) => {
    await dynamo.updateTable({ TableName: name, ReplicaUpdates: [change] });
    await active(dynamo, name);
  };
  for (const { regionName: RegionName } of olds) {
    if (!news.some((one) => one.regionName === RegionName)) await update({ Delete: { RegionName } });
  }
  for (const wanted of news) {
    const RegionName = wanted.regionName;
    const old = olds.find((one) => one.regionName === RegionName);
    if (!old) await update({ Create: { RegionName, KMSMasterKeyId: wanted.kmsKeyArn } });
    else if (wanted.kmsKeyArn !== undefined && wanted.kmsKeyArn !== old.kmsKeyArn) {
      await update({ Update: { RegionName, KMSMasterKeyId: wanted.kmsKeyArn } });
    }
    if ((old?.pointInTimeRecovery ?? false) !== wanted.pointInTimeRecovery) {
      const there = await call.aws.client("dynamodb", RegionName);
      await active(there, name);
      await setRecovery(there, name, { enabled: wanted.pointInTimeRecovery });
    }
  }
}

async function replicasOf(table: TableDescription, call: Call): Promise<Props[]> {
  const others = (table.Replicas ?? []).filter((one) => one.RegionName !== call.region);
  return Promise.all(
    others.map(async (one) => {
      const there = await call.aws.client("dynamodb", one.RegionName);
      const { enabled } = await recoveryOf(there, table.TableName!);
      return { regionName: one.RegionName, kmsKeyArn: one.KMSMasterKeyId, pointInTimeRecovery: enabled };
    }),
  );
}

/** DynamoDB changes one index at a time. */
async function setIndexes(dynamo: Dynamo, inputs: Props, olds: Props): Promise<void> {
  const isProvisioned = inputs.billingMode === "PROVISIONED";
  const before: Props[] = olds.globalSecondaryIndexes ?? [];
  const after: Props[] = inputs.globalSecondaryIndexes ?? [];
  const same = (a: Props, b: Props) =>
    equal(
      globalIndex,
      { ...a, readCapacity: 0, writeCapacity: 0 },
      { ...b, readCapacity: 0, writeCapacity: 0 },
    );
  const updates: GlobalSecondaryIndexUpdate[] = [];
  for (const old of before) {
    if (!after.some((one) => one.name === old.name && same(one, old)))
      updates.push({ Delete: { IndexName: old.name } });
  }
  for (const wanted of after) {
    const old = before.find((one) => one.name === wanted.name && same(one, wanted));
    if (!old) updates.push({ Create: indexOf(wanted, isProvisioned) });
    else if (isProvisioned && !equal(globalIndex, old, { ...old, ...wanted })) {
      updates.push({ Update: { IndexName: wanted.name, ProvisionedThroughput: throughput(wanted) } });
    }
  }
  for (const update of updates) {
    await dynamo.updateTable({
      TableName: inputs.name,
      AttributeDefinitions: attributeDefinitions(inputs),
      GlobalSecondaryIndexUpdates: [update],
    });
    await active(dynamo, inputs.name);
  }
}

const table = define("dynamodb", {
  type: "aws:dynamodb/table:Table",
  autoname: { property: "name", maxLength: 255 },
  inputs: {
    name: str({ replaces: true }),
    attributes: set(
      obj({ name: str({ required: true }), type: str({ required: true, values: ["S", "N", "B"] }) }),
      { required: true },
    ),
    hashKey: str({ required: true, replaces: true }),
    rangeKey: str({ replaces: true }),
    billingMode: str({ default: "PROVISIONED", values: ["PROVISIONED", "PAY_PER_REQUEST"] }),
    readCapacity: num({ computed: true }),
    writeCapacity: num({ computed: true }),
    globalSecondaryIndexes: set(globalIndex),
    localSecondaryIndexes: set(
      obj({
        name: str({ required: true }),
        rangeKey: str({ required: true }),
        projectionType: str({ required: true, values: PROJECTIONS }),
        nonKeyAttributes: set(str()),
      }),
      { replaces: true },
    ),
    streamEnabled: bool({ computed: true }),
    streamViewType: str({ computed: true }),
    tableClass: str({ default: "STANDARD", values: ["STANDARD", "STANDARD_INFREQUENT_ACCESS"] }),
    serverSideEncryption: obj(
      { enabled: bool({ required: true }), kmsKeyArn: str({ computed: true }) },
      { computed: true },
    ),
    pointInTimeRecovery: obj(
      { enabled: bool({ required: true }), recoveryPeriodInDays: num({ computed: true }) },
      { computed: true },
    ),
    ttl: obj({ attributeName: str(), enabled: bool({ default: false }) }, { computed: true }),
    deletionProtectionEnabled: bool({ default: false }),
    replicas: set(replica),
    tags: map(),
  },
  advice: { restoreSourceName: "restore with the AWS CLI and import the table" },
  outputs: ["arn", "streamArn", "streamLabel"],
  volatile: {
    streamArn: ["streamEnabled", "streamViewType", "replicas"],
    streamLabel: ["streamEnabled", "streamViewType", "replicas"],
  },
  async create(dynamo, inputs, call) {
    const isProvisioned = inputs.billingMode === "PROVISIONED";
    await dynamo.createTable({
      TableName: inputs.name,
      AttributeDefinitions: attributeDefinitions(inputs),
      KeySchema: keySchema(inputs.hashKey, inputs.rangeKey),
      BillingMode: inputs.billingMode,
      ProvisionedThroughput: isProvisioned
        ? (throughput(inputs) ?? throughput({ readCapacity: 1 }))
        : undefined,
      GlobalSecondaryIndexes: inputs.globalSecondaryIndexes?.map((one: Props) => indexOf(one, isProvisioned)),
      LocalSecondaryIndexes: inputs.localSecondaryIndexes?.map((one: Props) => ({
        ...indexOf({ ...one, hashKey: inputs.hashKey }, false),
      })),
      StreamSpecification: streams(inputs),
      SSESpecification: encryption(inputs),
      TableClass: inputs.tableClass,
      DeletionProtectionEnabled: inputs.deletionProtectionEnabled,
      Tags: someTags(inputs.tags),
    });
    const name = call.created(inputs.name);
    await active(dynamo, name);
    if (inputs.pointInTimeRecovery?.enabled) await setRecovery(dynamo, name, inputs.pointInTimeRecovery);
    await setTtl(dynamo, name, undefined, inputs.ttl);
    await setReplicas(dynamo, name, [], inputs.replicas ?? [], call);
    return name;
  },
  async read(dynamo, name, _known, call) {
    const live = await describe(dynamo, name);
    if (live.TableStatus === "DELETING") return undefined;
    const { TimeToLiveDescription: ttl } = await dynamo.describeTimeToLive({ TableName: name });
    const tags = await pages(
      (NextToken) => dynamo.listTagsOfResource({ ResourceArn: live.TableArn, NextToken }),
      (page) => page.Tags,
      (page) => page.NextToken,
    );
    const isTtlOn = ttl?.TimeToLiveStatus === "ENABLED" || ttl?.TimeToLiveStatus === "ENABLING";
    const isEncrypted =
      live.SSEDescription?.Status === "ENABLED" || live.SSEDescription?.Status === "ENABLING";
    const stream = live.StreamSpecification;
    return {
      name,
      attributes: live.AttributeDefinitions?.map((one) => ({
        name: one.AttributeName,
        type: one.AttributeType,
      })),
      ...keysOf(live.KeySchema),
      billingMode: live.BillingModeSummary?.BillingMode ?? "PROVISIONED",
      readCapacity: live.ProvisionedThroughput?.ReadCapacityUnits ?? 0,
      writeCapacity: live.ProvisionedThroughput?.WriteCapacityUnits ?? 0,
      globalSecondaryIndexes: live.GlobalSecondaryIndexes?.map((one) => ({
        name: one.IndexName,
        ...keysOf(one.KeySchema),
        projectionType: one.Projection?.ProjectionType,
        nonKeyAttributes: one.Projection?.NonKeyAttributes,
      })),
      localSecondaryIndexes: live.LocalSecondaryIndexes?.map((one) => ({
        name: one.IndexName,
        rangeKey: keysOf(one.KeySchema).rangeKey,
        projectionType: one.Projection?.ProjectionType,
        nonKeyAttributes: one.Projection?.NonKeyAttributes,
      })),
      streamEnabled: stream?.StreamEnabled ?? false,
      streamViewType: stream?.StreamEnabled ? stream.StreamViewType : undefined,
      tableClass: live.TableClassSummary?.TableClass ?? "STANDARD",
      serverSideEncryption: { enabled: isEncrypted, kmsKeyArn: live.SSEDescription?.KMSMasterKeyArn },
      pointInTimeRecovery: await recoveryOf(dynamo, name),
      ttl: isTtlOn ? { attributeName: ttl?.AttributeName, enabled: true } : { enabled: false },
      deletionProtectionEnabled: live.DeletionProtectionEnabled ?? false,
      replicas: await replicasOf(live, call),
      tags: tagMap(tags),
      arn: live.TableArn,
      streamArn: live.LatestStreamArn,
      streamLabel: live.LatestStreamLabel,
    };
  },
  async update(dynamo, name, inputs, olds, call) {
    const update = async (change: Props) => {
      await dynamo.updateTable({ TableName: name, ...change });
      await active(dynamo, name);
    };
    // Each is a call of its own, since DynamoDB refuses several changes at once.
    if (call.changed("billingMode", "readCapacity", "writeCapacity")) {
      const isProvisioned = inputs.billingMode === "PROVISIONED";
      await update({
        BillingMode: inputs.billingMode,
        ProvisionedThroughput: isProvisioned
          ? (throughput(inputs) ?? throughput({ readCapacity: 1 }))
          : undefined,
      });
    }
    if (call.changed("streamEnabled", "streamViewType"))
      await update({ StreamSpecification: streams(inputs) });
    if (call.changed("serverSideEncryption")) await update({ SSESpecification: encryption(inputs) });
    if (call.changed("tableClass")) await update({ TableClass: inputs.tableClass });
    if (call.changed("deletionProtectionEnabled")) {
      await update({ DeletionProtectionEnabled: inputs.deletionProtectionEnabled });
    }
    if (call.changed("globalSecondaryIndexes")) await setIndexes(dynamo, inputs, olds);
    if (call.changed("pointInTimeRecovery")) await setRecovery(dynamo, name, inputs.pointInTimeRecovery);
    if (call.changed("ttl")) await setTtl(dynamo, name, olds.ttl, inputs.ttl);
    if (call.changed("replicas"))
      await setReplicas(dynamo, name, olds.replicas ?? [], inputs.replicas ?? [], call);
    await syncTags(
      olds.tags,
      inputs.tags,
      (tags) => dynamo.tagResource({ ResourceArn: olds.arn, Tags: tagList(tags) }),
      (TagKeys) => dynamo.untagResource({ ResourceArn: olds.arn, TagKeys }),
    );
    return undefined;
  },
  async delete(dynamo, name, olds, call) {
    await setReplicas(dynamo, name, olds.replicas ?? [], [], call);
    await dynamo.deleteTable({ TableName: name });
    await until(`table ${name} disappearing`, async () => {
      try {
        await describe(dynamo, name);
        return false;
      } catch (error) {
        if (isGone(error)) return true;
        throw error;
      }
    });
  },
  identify: async (_dynamo, inputs) => inputs.name,
});

type Item = Record<string, AttributeValue>;

function parseItem(text: string): Item {
  return JSON.parse(text);
}

/** The primary key's part of an item. */
function itemKey(inputs: Props): Item {
  const item = parseItem(inputs.item);
  const names: string[] = [inputs.hashKey, inputs.rangeKey].filter((name) => name !== undefined);
  for (const name of names) {
    if (!item[name]) throw new StandInError(`the item lacks its key attribute "${name}"`);
  }
  return Object.fromEntries(names.map((name) => [name, item[name]!]));
}

/** Key values in ids: the text of the one value that a DynamoDB value has. */
function keyText(value: AttributeValue | undefined): string {
  return String(Object.values(value ?? {})[0] ?? "");
}

const tableItem = define("dynamodb", {
  type: "aws:dynamodb/tableItem:TableItem",
  inputs: {
    tableName: str({ required: true, replaces: true }),
    hashKey: str({ required: true, replaces: true }),
    rangeKey: str({ replaces: true }),
    /** In DynamoDB's own JSON: `{"name": {"S": "dr"}}`. */
    item: json({ required: true }),
  },
  outputs: ["hashKeyValue", "rangeKeyValue"],
  volatile: { hashKeyValue: ["item"], rangeKeyValue: ["item"] },
  async create(dynamo, inputs) {
    const key = itemKey(inputs);
    await dynamo.putItem({
      TableName: inputs.tableName,
      Item: parseItem(inputs.item),
      ConditionExpression: "attribute_not_exists(#key)",
      ExpressionAttributeNames: { "#key": inputs.hashKey },
    });
    return itemId(inputs, key);
  },
  async read(dynamo, id, known) {
    if (known.item === undefined) throw new StandInError("a table item cannot be imported");
    const { Item } = await dynamo.getItem({
      TableName: known.tableName,
      Key: itemKey(known),
      ConsistentRead: true,
    });
    if (!Item) return undefined;
    // Attributes that others have added to the item are theirs.
    const own = Object.keys(parseItem(known.item)).filter((name) => Item[name] !== undefined);
    const [, hashKeyValue, rangeKeyValue] = idParts(id, "|", 3);
    return {
      tableName: known.tableName,
      hashKey: known.hashKey,
      rangeKey: known.rangeKey,
      item: JSON.stringify(Object.fromEntries(own.map((name) => [name, Item[name]]))),
      hashKeyValue,
      rangeKeyValue,
    };
  },
  async update(dynamo, _id, inputs, olds) {
    const [before, after] = [itemKey(olds), itemKey(inputs)];
    if (JSON.stringify(before) !== JSON.stringify(after)) {
      // Its id in Pulumi's state would no longer be true.
      throw new StandInError(
        "the key of an item cannot be changed in place; rename the resource so that it is replaced",
      );
    }
    const [old, item] = [parseItem(olds.item), parseItem(inputs.item)];
    const names = [...new Set([...Object.keys(old), ...Object.keys(item)])].filter(
      (name) => !(name in after),
    );
    const setters = names.filter((name) => item[name] !== undefined);
    const removed = names.filter((name) => item[name] === undefined);
    if (names.length === 0) return undefined;
    const clause = (verb: string, parts: string[]) =>
      parts.length > 0 ? [`${verb} ${parts.join(", ")}`] : [];
    const at = (name: string) => names.indexOf(name);
    await dynamo.updateItem({
      TableName: inputs.tableName,
      Key: after,
      UpdateExpression: [
        ...clause(
          "SET",
          setters.map((name) => `#n${at(name)} = :v${at(name)}`),
        ),
        ...clause(
          "REMOVE",
          removed.map((name) => `#n${at(name)}`),
        ),
      ].join(" "),
      ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#n${at(name)}`, name])),
      ...(setters.length > 0 && {
        ExpressionAttributeValues: Object.fromEntries(setters.map((name) => [`:v${at(name)}`, item[name]!])),
      }),
    });
    return undefined;
  },
  async delete(dynamo, _id, olds) {
    await dynamo.deleteItem({ TableName: olds.tableName, Key: itemKey(olds) });
  },
  identify: async (_dynamo, inputs) => itemId(inputs, itemKey(inputs)),
});

function itemId(inputs: Props, key: Item): string {
  return [inputs.tableName, keyText(key[inputs.hashKey]), keyText(key[inputs.rangeKey])].join("|");
}

export const dynamodbHandlers: readonly Handler[] = [table, tableItem];
