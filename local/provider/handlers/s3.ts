/** Simple Storage Service: buckets, what is set on them, and small objects. */
import { createHash } from "node:crypto";
import { arn, partitionOf } from "../../../components/regional/partition";
import type { Client } from "../context";
import { isGone, StandInError } from "../errors";
import { define, type Handler, idParts, pages, someTags, tagList, tagMap } from "../handler";
import { bool, list, map, num, obj, policy, str } from "../schema";
import type { Props } from "../types";

type S3 = Client<"s3">;

/** S3 deletes at most so many objects in a call. */
const DELETE_BATCH = 1000;

/** Runs a call that may find nothing. */
async function orNothing<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** Whether the account owns the bucket. Throws when another account does. */
async function isOwn(s3: S3, Bucket: string): Promise<boolean> {
  try {
    await s3.headBucket({ Bucket });
    return true;
  } catch (error) {
    if (isGone(error)) return false;
    const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
    if (status !== 403) throw error;
    throw new StandInError(`bucket ${Bucket} belongs to another account: choose another name`, {
      cause: error,
    });
  }
}

/** Removes every version of every object, also those under object lock in governance mode. */
async function empty(s3: S3, Bucket: string): Promise<void> {
  for (;;) {
    const { Versions = [], DeleteMarkers = [] } = await s3.listObjectVersions({
      Bucket,
      MaxKeys: DELETE_BATCH,
    });
    const Objects = [...Versions, ...DeleteMarkers].map(({ Key, VersionId }) => ({ Key, VersionId }));
    if (Objects.length === 0) return;
    const lock = await orNothing(s3.getObjectLockConfiguration({ Bucket }));
    const { Errors = [] } = await s3.deleteObjects({
      Bucket,
      Delete: { Objects, Quiet: true },
      BypassGovernanceRetention: lock?.ObjectLockConfiguration !== undefined || undefined,
    });
    const [first] = Errors;
    if (first) {
      throw new StandInError(
        `${Errors.length} objects of ${Bucket} cannot be deleted, the first is ${first.Key}: ${first.Message}`,
      );
    }
  }
}

const bucket = define("s3", {
  type: "aws:s3/bucket:Bucket",
  autoname: { property: "bucket", prefixProperty: "bucketPrefix", maxLength: 63 },
  inputs: {
    bucket: str({ replaces: true }),
    bucketPrefix: str({ replaces: true, writeOnly: true }),
    forceDestroy: bool({ default: false, writeOnly: true }),
    objectLockEnabled: bool({ computed: true, replaces: true }),
    tags: map(),
  },
  advice: {
    acl: "leave it out: new buckets have no access control lists",
    lifecycleRules: "use aws.s3.BucketLifecycleConfiguration",
    objectLockConfiguration: "use objectLockEnabled and aws.s3.BucketObjectLockConfiguration",
    policy: "use aws.s3.BucketPolicy",
    serverSideEncryptionConfiguration: "use aws.s3.BucketServerSideEncryptionConfiguration",
    versioning: "use aws.s3.BucketVersioning",
  },
  outputs: ["arn", "bucketDomainName", "bucketRegion", "bucketRegionalDomainName"],
  validate({ bucket: name }) {
    const isFine = typeof name !== "string" || /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name);
    const reason = `is "${name}": 3 to 63 lower-case letters, digits, hyphens and full stops`;
    return isFine ? [] : [{ property: "bucket", reason }];
  },
  async create(s3, inputs, call) {
    // In us-east-1, creating a bucket that one owns already succeeds; elsewhere it fails with this name.
    if (await isOwn(s3, inputs.bucket)) {
      throw Object.assign(new Error(`you own bucket ${inputs.bucket} already`), {
        name: "BucketAlreadyOwnedByYou",
      });
    }
    // Tags go with the creation, so that what an interrupted run made can be told.
    const configuration: Props = { Tags: someTags(inputs.tags) };
    if (call.region !== "us-east-1") configuration.LocationConstraint = call.region;
    const isNeeded = Object.values(configuration).some((value) => value !== undefined);
    await s3.createBucket({
      Bucket: inputs.bucket,
      CreateBucketConfiguration: isNeeded ? configuration : undefined,
      ObjectLockEnabledForBucket: inputs.objectLockEnabled,
    });
    return inputs.bucket;
  },
  async read(s3, Bucket) {
    const { BucketRegion } = await s3.headBucket({ Bucket });
    const tagging = await orNothing(s3.getBucketTagging({ Bucket }));
    const lock = await orNothing(s3.getObjectLockConfiguration({ Bucket }));
    const partition = partitionOf(BucketRegion!);
    const suffix = partition === "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com";
    return {
      bucket: Bucket,
      objectLockEnabled: lock?.ObjectLockConfiguration?.ObjectLockEnabled === "Enabled",
      tags: tagMap(tagging?.TagSet),
      arn: arn({ partition, service: "s3", resource: Bucket }),
      bucketDomainName: `${Bucket}.s3.${suffix}`,
      bucketRegion: BucketRegion,
      bucketRegionalDomainName: `${Bucket}.s3.${BucketRegion}.${suffix}`,
    };
  },
  async update(s3, Bucket, inputs, _olds, call) {
    if (!call.changed("tags")) return undefined;
    const TagSet = tagList(inputs.tags);
    if (TagSet.length > 0) await s3.putBucketTagging({ Bucket, Tagging: { TagSet } });
    else await s3.deleteBucketTagging({ Bucket });
    return undefined;
  },
  async delete(s3, Bucket, olds) {
    if (olds.forceDestroy) await empty(s3, Bucket);
    await s3.deleteBucket({ Bucket });
  },
  identify: async (_s3, inputs) => inputs.bucket,
});

const bucketVersioning = define("s3", {
  type: "aws:s3/bucketVersioning:BucketVersioning",
  inputs: {
    bucket: str({ required: true, replaces: true }),
    // A bucket whose versioning is suspended counts as one without this resource.
    versioningConfiguration: obj(
      { status: str({ required: true, values: ["Enabled"] }) },
      { required: true },
    ),
  },
  outputs: [],
  async create(s3, inputs) {
    await s3.putBucketVersioning({ Bucket: inputs.bucket, VersioningConfiguration: { Status: "Enabled" } });
    return inputs.bucket;
  },
  async read(s3, Bucket) {
    const { Status } = await s3.getBucketVersioning({ Bucket });
    return Status === "Enabled" ? { bucket: Bucket, versioningConfiguration: { status: Status } } : undefined;
  },
  async delete(s3, Bucket) {
    try {
      await s3.putBucketVersioning({ Bucket, VersioningConfiguration: { Status: "Suspended" } });
    } catch (error) {
      // Object lock needs versions as long as the bucket exists.
      if ((error as Error).name !== "InvalidBucketState") throw error;
    }
  },
});

const encryptionRule = obj({
  applyServerSideEncryptionByDefault: obj({
    sseAlgorithm: str({ required: true, values: ["AES256", "aws:kms", "aws:kms:dsse"] }),
    kmsMasterKeyId: str(),
  }),
  bucketKeyEnabled: bool({ default: false }),
});

async function putEncryption(s3: S3, inputs: Props): Promise<void> {
  await s3.putBucketEncryption({
    Bucket: inputs.bucket,
    ServerSideEncryptionConfiguration: {
      Rules: inputs.rules.map((rule: Props) => ({
        ApplyServerSideEncryptionByDefault: rule.applyServerSideEncryptionByDefault && {
          SSEAlgorithm: rule.applyServerSideEncryptionByDefault.sseAlgorithm,
          KMSMasterKeyID: rule.applyServerSideEncryptionByDefault.kmsMasterKeyId,
        },
        BucketKeyEnabled: rule.bucketKeyEnabled,
      })),
    },
  });
}

const bucketServerSideEncryptionConfiguration = define("s3", {
  type: "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
  inputs: {
    bucket: str({ required: true, replaces: true }),
    rules: list(encryptionRule, { required: true }),
  },
  outputs: [],
  async create(s3, inputs) {
    await putEncryption(s3, inputs);
    return inputs.bucket;
  },
  async read(s3, Bucket, known) {
    const { ServerSideEncryptionConfiguration } = await s3.getBucketEncryption({ Bucket });
    const rules = (ServerSideEncryptionConfiguration?.Rules ?? []).map((rule) => ({
      applyServerSideEncryptionByDefault: rule.ApplyServerSideEncryptionByDefault && {
        sseAlgorithm: rule.ApplyServerSideEncryptionByDefault.SSEAlgorithm,
        kmsMasterKeyId: rule.ApplyServerSideEncryptionByDefault.KMSMasterKeyID,
      },
      bucketKeyEnabled: rule.BucketKeyEnabled ?? false,
    }));
    // Every bucket is encrypted: S3's own way means that there is no other, unless it was asked for.
    const own = (of: Props[] | undefined) => of?.[0]?.applyServerSideEncryptionByDefault?.sseAlgorithm;
    if (own(rules) === "AES256" && own(known.rules) !== "AES256") return undefined;
    return { bucket: Bucket, rules };
  },
  async update(s3, _id, inputs) {
    await putEncryption(s3, inputs);
    return undefined;
  },
  async delete(s3, Bucket) {
    await s3.deleteBucketEncryption({ Bucket });
  },
});

async function putAccessBlock(s3: S3, inputs: Props): Promise<void> {
  await s3.putPublicAccessBlock({
    Bucket: inputs.bucket,
    PublicAccessBlockConfiguration: {
      BlockPublicAcls: inputs.blockPublicAcls,
      BlockPublicPolicy: inputs.blockPublicPolicy,
      IgnorePublicAcls: inputs.ignorePublicAcls,
      RestrictPublicBuckets: inputs.restrictPublicBuckets,
    },
  });
}

const bucketPublicAccessBlock = define("s3", {
  type: "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
  inputs: {
    bucket: str({ required: true, replaces: true }),
    blockPublicAcls: bool({ default: false }),
    blockPublicPolicy: bool({ default: false }),
    ignorePublicAcls: bool({ default: false }),
    restrictPublicBuckets: bool({ default: false }),
    skipDestroy: bool({ default: false, writeOnly: true }),
  },
  outputs: [],
  async create(s3, inputs) {
    await putAccessBlock(s3, inputs);
    return inputs.bucket;
  },
  async read(s3, Bucket) {
    const { PublicAccessBlockConfiguration: block } = await s3.getPublicAccessBlock({ Bucket });
    return {
      bucket: Bucket,
      blockPublicAcls: block?.BlockPublicAcls ?? false,
      blockPublicPolicy: block?.BlockPublicPolicy ?? false,
      ignorePublicAcls: block?.IgnorePublicAcls ?? false,
      restrictPublicBuckets: block?.RestrictPublicBuckets ?? false,
    };
  },
  async update(s3, _id, inputs) {
    await putAccessBlock(s3, inputs);
    return undefined;
  },
  async delete(s3, Bucket, olds) {
    if (!olds.skipDestroy) await s3.deletePublicAccessBlock({ Bucket });
  },
});

async function putOwnership(s3: S3, inputs: Props): Promise<void> {
  await s3.putBucketOwnershipControls({
    Bucket: inputs.bucket,
    OwnershipControls: { Rules: [{ ObjectOwnership: inputs.rule.objectOwnership }] },
  });
}

const bucketOwnershipControls = define("s3", {
  type: "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
  inputs: {
    bucket: str({ required: true, replaces: true }),
    rule: obj(
      {
        objectOwnership: str({
          required: true,
          values: ["BucketOwnerPreferred", "ObjectWriter", "BucketOwnerEnforced"],
        }),
      },
      { required: true },
    ),
  },
  outputs: [],
  async create(s3, inputs) {
    await putOwnership(s3, inputs);
    return inputs.bucket;
  },
  async read(s3, Bucket) {
    const { OwnershipControls } = await s3.getBucketOwnershipControls({ Bucket });
    return { bucket: Bucket, rule: { objectOwnership: OwnershipControls?.Rules?.[0]?.ObjectOwnership } };
  },
  async update(s3, _id, inputs) {
    await putOwnership(s3, inputs);
    return undefined;
  },
  async delete(s3, Bucket) {
    await s3.deleteBucketOwnershipControls({ Bucket });
  },
});

const bucketPolicy = define("s3", {
  type: "aws:s3/bucketPolicy:BucketPolicy",
  inputs: { bucket: str({ required: true, replaces: true }), policy: policy({ required: true }) },
  outputs: [],
  async create(s3, inputs) {
    await s3.putBucketPolicy({ Bucket: inputs.bucket, Policy: inputs.policy });
    return inputs.bucket;
  },
  async read(s3, Bucket) {
    const { Policy } = await s3.getBucketPolicy({ Bucket });
    return { bucket: Bucket, policy: Policy };
  },
  async update(s3, Bucket, inputs) {
    await s3.putBucketPolicy({ Bucket, Policy: inputs.policy });
    return undefined;
  },
  async delete(s3, Bucket) {
    await s3.deleteBucketPolicy({ Bucket });
  },
});

const lifecycleRule = obj({
  id: str({ required: true }),
  status: str({ required: true, values: ["Enabled", "Disabled"] }),
  filter: obj({ prefix: str({ default: "" }) }),
  expiration: obj({ days: num(), expiredObjectDeleteMarker: bool() }),
  noncurrentVersionExpiration: obj({
    noncurrentDays: num({ required: true }),
    newerNoncurrentVersions: num(),
  }),
  abortIncompleteMultipartUpload: obj({ daysAfterInitiation: num() }),
});

async function putLifecycle(s3: S3, inputs: Props): Promise<void> {
  await s3.putBucketLifecycleConfiguration({
    Bucket: inputs.bucket,
    LifecycleConfiguration: {
      Rules: inputs.rules.map((rule: Props) => ({
        ID: rule.id,
        Status: rule.status,
        // A rule without a filter is for every object; S3 wants that said.
        Filter: { Prefix: rule.filter?.prefix ?? "" },
        Expiration: rule.expiration && {
          Days: rule.expiration.days,
          ExpiredObjectDeleteMarker: rule.expiration.expiredObjectDeleteMarker,
        },
        NoncurrentVersionExpiration: rule.noncurrentVersionExpiration && {
          NoncurrentDays: rule.noncurrentVersionExpiration.noncurrentDays,
          NewerNoncurrentVersions: rule.noncurrentVersionExpiration.newerNoncurrentVersions,
        },
        AbortIncompleteMultipartUpload: rule.abortIncompleteMultipartUpload && {
          DaysAfterInitiation: rule.abortIncompleteMultipartUpload.daysAfterInitiation,
        },
      })),
    },
  });
}

const bucketLifecycleConfiguration = define("s3", {
  type: "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
  inputs: {
    bucket: str({ required: true, replaces: true }),
    rules: list(lifecycleRule, { required: true }),
  },
  outputs: [],
  async create(s3, inputs) {
    await putLifecycle(s3, inputs);
    return inputs.bucket;
  },
  async read(s3, Bucket) {
    const { Rules = [] } = await s3.getBucketLifecycleConfiguration({ Bucket });
    return {
      bucket: Bucket,
      rules: Rules.map((rule) => ({
        id: rule.ID,
        status: rule.Status,
        filter: rule.Filter && { prefix: rule.Filter.Prefix ?? "" },
        expiration: rule.Expiration && {
          days: rule.Expiration.Days,
          expiredObjectDeleteMarker: rule.Expiration.ExpiredObjectDeleteMarker,
        },
        noncurrentVersionExpiration: rule.NoncurrentVersionExpiration && {
          noncurrentDays: rule.NoncurrentVersionExpiration.NoncurrentDays,
          newerNoncurrentVersions: rule.NoncurrentVersionExpiration.NewerNoncurrentVersions,
        },
        abortIncompleteMultipartUpload: rule.AbortIncompleteMultipartUpload && {
          daysAfterInitiation: rule.AbortIncompleteMultipartUpload.DaysAfterInitiation,
        },
      })),
    };
  },
  async update(s3, _id, inputs) {
    await putLifecycle(s3, inputs);
    return undefined;
  },
  async delete(s3, Bucket) {
    await s3.deleteBucketLifecycle({ Bucket });
  },
});

async function putObjectLock(s3: S3, Bucket: string, retention: Props | undefined): Promise<void> {
  await s3.putObjectLockConfiguration({
    Bucket,
    ObjectLockConfiguration: {
      ObjectLockEnabled: "Enabled",
      Rule: retention && {
        DefaultRetention: { Mode: retention.mode, Days: retention.days, Years: retention.years },
      },
    },
  });
}

const bucketObjectLockConfiguration = define("s3", {
  type: "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
  inputs: {
    bucket: str({ required: true, replaces: true }),
    objectLockEnabled: str({ default: "Enabled", replaces: true, values: ["Enabled"] }),
    // A locked bucket without a rule counts as one without this resource.
    rule: obj(
      {
        defaultRetention: obj(
          {
            mode: str({ required: true, values: ["COMPLIANCE", "GOVERNANCE"] }),
            days: num(),
            years: num(),
          },
          { required: true },
        ),
      },
      { required: true },
    ),
  },
  outputs: [],
  async create(s3, inputs) {
    await putObjectLock(s3, inputs.bucket, inputs.rule.defaultRetention);
    return inputs.bucket;
  },
  async read(s3, Bucket) {
    const { ObjectLockConfiguration: lock } = await s3.getObjectLockConfiguration({ Bucket });
    const retention = lock?.Rule?.DefaultRetention;
    if (!retention) return undefined;
    return {
      bucket: Bucket,
      objectLockEnabled: lock.ObjectLockEnabled,
      rule: {
        defaultRetention: { mode: retention.Mode, days: retention.Days, years: retention.Years },
      },
    };
  },
  async update(s3, Bucket, inputs) {
    await putObjectLock(s3, Bucket, inputs.rule.defaultRetention);
    return undefined;
  },
  async delete(s3, Bucket) {
    await putObjectLock(s3, Bucket, undefined);
  },
});

async function putObject(s3: S3, inputs: Props): Promise<void> {
  const { content, contentBase64 } = inputs;
  const tags = new URLSearchParams(inputs.tags ?? {}).toString();
  await s3.putObject({
    Bucket: inputs.bucket,
    Key: inputs.key,
    Body: contentBase64 === undefined ? (content ?? "") : Buffer.from(contentBase64, "base64"),
    CacheControl: inputs.cacheControl,
    ContentType: inputs.contentType,
    Metadata: inputs.metadata,
    ServerSideEncryption: inputs.serverSideEncryption ?? (inputs.kmsKeyId && "aws:kms"),
    SSEKMSKeyId: inputs.kmsKeyId,
    Tagging: tags || undefined,
  });
}

const bucketObject = define("s3", {
  type: "aws:s3/bucketObjectv2:BucketObjectv2",
  inputs: {
    bucket: str({ required: true, replaces: true }),
    key: str({ required: true, replaces: true }),
    content: str(),
    contentBase64: str(),
    contentType: str({ computed: true }),
    cacheControl: str(),
    metadata: map(),
    serverSideEncryption: str({ computed: true, values: ["AES256", "aws:kms"] }),
    kmsKeyId: str({ computed: true }),
    forceDestroy: bool({ default: false, writeOnly: true }),
    tags: map(),
  },
  advice: { source: "use content (text) or contentBase64 (bytes)", acl: "leave it out" },
  outputs: ["arn", "etag", "versionId"],
  volatile: {
    etag: ["content", "contentBase64", "serverSideEncryption", "kmsKeyId"],
    versionId: [
      "content",
      "contentBase64",
      "contentType",
      "cacheControl",
      "metadata",
      "serverSideEncryption",
      "kmsKeyId",
      "tags",
    ],
  },
  validate(inputs) {
    const isDouble = inputs.content !== undefined && inputs.contentBase64 !== undefined;
    return isDouble ? [{ property: "content", reason: "give either content or contentBase64" }] : [];
  },
  async create(s3, inputs) {
    await putObject(s3, inputs);
    return `${inputs.bucket}/${inputs.key}`;
  },
  async read(s3, id, known, call) {
    const [Bucket, Key] = idParts(id, "/", 2) as [string, string];
    const object = await s3.getObject({ Bucket, Key });
    const bytes = Buffer.from(await object.Body!.transformToByteArray());
    const { TagSet } = await s3.getObjectTagging({ Bucket, Key });
    return {
      bucket: Bucket,
      key: Key,
      ...(known.contentBase64 === undefined
        ? { content: bytes.toString("utf8") }
        : { contentBase64: bytes.toString("base64") }),
      contentType: object.ContentType,
      cacheControl: object.CacheControl,
      metadata: object.Metadata,
      serverSideEncryption: object.ServerSideEncryption,
      kmsKeyId: object.SSEKMSKeyId,
      tags: tagMap(TagSet),
      arn: arn({ partition: partitionOf(call.region), service: "s3", resource: `${Bucket}/${Key}` }),
      etag: object.ETag?.replaceAll('"', "") ?? createHash("md5").update(bytes).digest("hex"),
      versionId: object.VersionId ?? "null",
    };
  },
  async update(s3, _id, inputs) {
    await putObject(s3, inputs);
    return undefined;
  },
  async delete(s3, id, olds) {
    const [Bucket, Key] = idParts(id, "/", 2) as [string, string];
    if (!olds.forceDestroy) {
      await s3.deleteObject({ Bucket, Key });
      return;
    }
    const versions = await pages(
      (KeyMarker) => s3.listObjectVersions({ Bucket, Prefix: Key, KeyMarker }),
      (page) => [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])],
      (page) => page.NextKeyMarker,
    );
    for (const { VersionId } of versions.filter((version) => version.Key === Key)) {
      await s3.deleteObject({ Bucket, Key, VersionId, BypassGovernanceRetention: true });
    }
  },
  identify: async (_s3, inputs) => `${inputs.bucket}/${inputs.key}`,
});

export const s3Handlers: readonly Handler[] = [
  bucket,
  bucketVersioning,
  bucketServerSideEncryptionConfiguration,
  bucketPublicAccessBlock,
  bucketOwnershipControls,
  bucketPolicy,
  bucketLifecycleConfiguration,
  bucketObjectLockConfiguration,
  bucketObject,
];
