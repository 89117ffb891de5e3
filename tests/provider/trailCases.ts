/** Cases of the types that an audit trail is made of: buckets, trails, metric filters. */
import type { AwsContext } from "../../local/provider/context";
import type { LifeCase } from "./lifeCases";
import { ACCOUNT, type Deployed, type Deployment, REGION } from "./support";

const TRAIL_ARN = `arn:aws:cloudtrail:${REGION}:${ACCOUNT}:trail/subject`;
const tags = { project: "bulkhead", purpose: "test" };
const newTags = { project: "bulkhead", owner: "identity" };

async function oneBucket(deployment: Deployment): Promise<Record<string, Deployed>> {
  return { bucket: await deployment.make("aws:s3/bucket:Bucket", "bucket", { forceDestroy: true }) };
}

async function lockedBucket(deployment: Deployment): Promise<Record<string, Deployed>> {
  const inputs = { forceDestroy: true, objectLockEnabled: true };
  return { bucket: await deployment.make("aws:s3/bucket:Bucket", "locked", inputs) };
}

function bucketPolicy(action: string, resource: string): string {
  const statement = { Effect: "Allow", Principal: { AWS: ACCOUNT }, Action: action, Resource: resource };
  return JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
}

/** A bucket that lets the trail `subject` write, as AWS demands before there may be such a trail. */
async function trailBucket(deployment: Deployment): Promise<Record<string, Deployed>> {
  const { bucket } = await oneBucket(deployment);
  const { arn } = bucket!.outputs;
  const allow = (Action: string, Resource: string, more: object) => ({
    Effect: "Allow",
    Principal: { Service: "cloudtrail.amazonaws.com" },
    Action,
    Resource,
    Condition: { StringEquals: { "aws:SourceArn": TRAIL_ARN, ...more } },
  });
  const policy = JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      allow("s3:GetBucketAcl", arn, {}),
      allow("s3:PutObject", `${arn}/AWSLogs/${ACCOUNT}/*`, { "s3:x-amz-acl": "bucket-owner-full-control" }),
      allow("s3:PutObject", `${arn}/audit/AWSLogs/${ACCOUNT}/*`, {
        "s3:x-amz-acl": "bucket-owner-full-control",
      }),
    ],
  });
  await deployment.make("aws:s3/bucketPolicy:BucketPolicy", "bucket", { bucket: bucket!.id, policy });
  return { bucket: bucket! };
}

const s3Of = (aws: AwsContext) => aws.client("s3");

export const TRAIL_CASES: readonly LifeCase[] = [
  {
    type: "aws:s3/bucket:Bucket",
    inputs: () => ({ tags }),
    outputs: ["arn", "bucketDomainName", "bucketRegion", "bucketRegionalDomainName", "bucket"],
    update: () => ({ tags: newTags, forceDestroy: true }),
    drift: async ({ aws }, bucket) =>
      (await s3Of(aws)).putBucketTagging({
        Bucket: bucket.id,
        Tagging: { TagSet: [{ Key: "stray", Value: "1" }] },
      }),
    driftShows: ["tags"],
    replaces: { bucket: "another", objectLockEnabled: true },
  },
  {
    type: "aws:s3/bucketVersioning:BucketVersioning",
    needs: oneBucket,
    inputs: ({ needs }) => ({
      bucket: needs.bucket!.id,
      versioningConfiguration: { status: "Enabled" },
    }),
    outputs: ["versioningConfiguration"],
    replaces: { bucket: "another" },
  },
  {
    type: "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    needs: oneBucket,
    inputs: ({ needs }) => ({
      bucket: needs.bucket!.id,
      rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms" } }],
    }),
    outputs: ["rules"],
    update: () => ({
      rules: [
        {
          applyServerSideEncryptionByDefault: {
            sseAlgorithm: "aws:kms",
            kmsMasterKeyId: `arn:aws:kms:${REGION}:${ACCOUNT}:key/1`,
          },
          bucketKeyEnabled: true,
        },
      ],
    }),
    drift: async ({ aws }, { id }) =>
      (await s3Of(aws)).putBucketEncryption({
        Bucket: id,
        ServerSideEncryptionConfiguration: {
          Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "aws:kms:dsse" } }],
        },
      }),
    driftShows: ["rules"],
    replaces: { bucket: "another" },
  },
  {
    type: "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    needs: oneBucket,
    inputs: ({ needs }) => ({ bucket: needs.bucket!.id, blockPublicAcls: true, ignorePublicAcls: true }),
    outputs: ["blockPublicPolicy"],
    update: () => ({ blockPublicPolicy: true, restrictPublicBuckets: true }),
    drift: async ({ aws }, { id }) =>
      (await s3Of(aws)).putPublicAccessBlock({
        Bucket: id,
        PublicAccessBlockConfiguration: { BlockPublicAcls: false, BlockPublicPolicy: true },
      }),
    driftShows: ["blockPublicAcls", "ignorePublicAcls"],
    replaces: { bucket: "another" },
  },
  {
    type: "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
    needs: oneBucket,
    inputs: ({ needs }) => ({
      bucket: needs.bucket!.id,
      rule: { objectOwnership: "BucketOwnerPreferred" },
    }),
    outputs: ["rule"],
    update: () => ({ rule: { objectOwnership: "BucketOwnerEnforced" } }),
    drift: async ({ aws }, { id }) =>
      (await s3Of(aws)).putBucketOwnershipControls({
        Bucket: id,
        OwnershipControls: { Rules: [{ ObjectOwnership: "ObjectWriter" }] },
      }),
    driftShows: ["rule"],
    replaces: { bucket: "another" },
  },
  {
    type: "aws:s3/bucketPolicy:BucketPolicy",
    needs: oneBucket,
    inputs: ({ needs }) => ({
      bucket: needs.bucket!.id,
      policy: bucketPolicy("s3:GetObject", `${needs.bucket!.outputs.arn}/*`),
    }),
    outputs: ["policy"],
    update: ({ needs }) => ({ policy: bucketPolicy("s3:PutObject", `${needs.bucket!.outputs.arn}/*`) }),
    drift: async ({ aws, needs }, { id }) =>
      (await s3Of(aws)).putBucketPolicy({
        Bucket: id,
        Policy: bucketPolicy("s3:DeleteObject", `${needs.bucket!.outputs.arn}/*`),
      }),
    driftShows: ["policy"],
    replaces: { bucket: "another" },
  },
  {
    type: "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    needs: oneBucket,
    inputs: ({ needs }) => ({
      bucket: needs.bucket!.id,
      rules: [
        {
          id: "expire",
          status: "Enabled",
          filter: {},
          expiration: { days: 400 },
          noncurrentVersionExpiration: { noncurrentDays: 30 },
        },
      ],
    }),
    outputs: ["rules"],
    update: () => ({
      rules: [
        { id: "expire", status: "Enabled", filter: { prefix: "AWSLogs/" }, expiration: { days: 800 } },
        {
          id: "parts",
          status: "Enabled",
          filter: {},
          abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
        },
      ],
    }),
    drift: async ({ aws }, { id }) =>
      (await s3Of(aws)).putBucketLifecycleConfiguration({
        Bucket: id,
        LifecycleConfiguration: {
          Rules: [{ ID: "expire", Status: "Enabled", Filter: { Prefix: "" }, Expiration: { Days: 1 } }],
        },
      }),
    driftShows: ["rules"],
    replaces: { bucket: "another" },
  },
  {
    type: "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
    needs: lockedBucket,
    inputs: ({ needs }) => ({
      bucket: needs.bucket!.id,
      rule: { defaultRetention: { mode: "GOVERNANCE", days: 30 } },
    }),
    outputs: ["rule", "objectLockEnabled"],
    update: () => ({ rule: { defaultRetention: { mode: "GOVERNANCE", years: 1 } } }),
    drift: async ({ aws }, { id }) =>
      (await s3Of(aws)).putObjectLockConfiguration({
        Bucket: id,
        ObjectLockConfiguration: {
          ObjectLockEnabled: "Enabled",
          Rule: { DefaultRetention: { Mode: "GOVERNANCE", Days: 1 } },
        },
      }),
    driftShows: ["rule"],
    replaces: { bucket: "another" },
  },
  {
    type: "aws:s3/bucketObjectv2:BucketObjectv2",
    needs: oneBucket,
    inputs: ({ needs }) => ({
      bucket: needs.bucket!.id,
      key: "templates/due.html",
      content: "<p>Größe</p>",
      contentType: "text/html",
      tags,
    }),
    outputs: ["arn", "etag", "versionId"],
    update: () => ({ content: "<p>2</p>", metadata: { made: "by-test" }, tags: newTags }),
    drift: async ({ aws, needs }) =>
      (await s3Of(aws)).putObject({ Bucket: needs.bucket!.id, Key: "templates/due.html", Body: "stray" }),
    driftShows: ["content"],
    replaces: { bucket: "another", key: "another" },
  },
  {
    type: "aws:cloudtrail/trail:Trail",
    needs: trailBucket,
    inputs: ({ needs }) => ({ name: "subject", s3BucketName: needs.bucket!.id, tags }),
    outputs: ["arn", "homeRegion", "name"],
    update: () => ({
      s3KeyPrefix: "audit",
      isMultiRegionTrail: true,
      enableLogFileValidation: true,
      enableLogging: false,
      tags: newTags,
    }),
    drift: async ({ aws }, { id }) => (await aws.client("cloudtrail")).startLogging({ Name: id }),
    driftShows: ["enableLogging"],
    replaces: { name: "another" },
  },
  {
    type: "aws:cloudwatch/logMetricFilter:LogMetricFilter",
    needs: async (deployment) => ({
      group: await deployment.make("aws:cloudwatch/logGroup:LogGroup", "group", {}),
    }),
    inputs: ({ needs }) => ({
      logGroupName: needs.group!.id,
      pattern: '{ $.userIdentity.userName = "one" }',
      metricTransformation: { name: "Uses", namespace: "Security", value: "1", defaultValue: "0" },
    }),
    outputs: ["name"],
    update: () => ({
      pattern: '{ $.userIdentity.userName = "two" }',
      metricTransformation: {
        name: "Uses",
        namespace: "Security",
        value: "1",
        dimensions: { region: "$.awsRegion" },
        unit: "Count",
      },
    }),
    drift: async ({ aws, needs }, { id }) =>
      (await aws.client("logs")).putMetricFilter({
        logGroupName: needs.group!.id,
        filterName: id,
        filterPattern: "{ $.stray = 1 }",
        metricTransformations: [{ metricName: "Uses", metricNamespace: "Security", metricValue: "1" }],
      }),
    driftShows: ["pattern"],
    replaces: { name: "another", logGroupName: "another" },
  },
];
