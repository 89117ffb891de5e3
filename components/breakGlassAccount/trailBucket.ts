import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { Cell } from "../regional/cell";
import { arn } from "../regional/partition";
import { type PolicyStatement, policyDocument } from "../regional/policyDocument";
import { trailArn, trailBucketName } from "./trailNames";

/** How long objects are kept, and whether they are locked for a time. */
export interface TrailRetention {
  /** Days after which log files are removed. */
  readonly expiryDays: number;
  /** The lock that every new object gets, if any. */
  readonly objectLock?: { readonly mode: string; readonly days: number };
}

/** What a trail's bucket is made of. */
interface TrailBucketParts extends TrailRetention {
  /** The parent; the children are named after it: `NAME-bucket` and so on. */
  parent: pulumi.Resource;
  /** Logical name of the parent. */
  name: string;
  cell: Cell;
  kmsKeyArn: pulumi.Input<string>;
  /** Whether the bucket is emptied when it is destroyed. */
  forceDestroy: boolean;
}

/** A versioned log file that was overwritten or deleted can be had back for so many days. */
const NONCURRENT_DAYS = 30;

/**
 * The policy of a trail's bucket: CloudTrail may write for this one trail, in this account's folder (CloudTrail user guide, "Amazon S3 bucket
 * policy for CloudTrail"), and nobody does anything without TLS.
 */
export function trailBucketStatements(cell: Cell): PolicyStatement[] {
  const bucketArn = trailBucketArn(cell);
  const byTheTrail = { "aws:SourceArn": trailArn(cell) };
  return [
    {
      Sid: "TrailReadsTheAcl",
      Effect: "Allow",
      Principal: { Service: "cloudtrail.amazonaws.com" },
      Action: "s3:GetBucketAcl",
      Resource: bucketArn,
      Condition: { StringEquals: byTheTrail },
    },
    {
      Sid: "TrailWrites",
      Effect: "Allow",
      Principal: { Service: "cloudtrail.amazonaws.com" },
      Action: "s3:PutObject",
      Resource: `${bucketArn}/AWSLogs/${cell.accountId}/*`,
      Condition: { StringEquals: { ...byTheTrail, "s3:x-amz-acl": "bucket-owner-full-control" } },
    },
    {
      Sid: "OnlyOverTls",
      Effect: "Deny",
      Principal: "*",
      Action: "s3:*",
      Resource: [bucketArn, `${bucketArn}/*`],
      Condition: { Bool: { "aws:SecureTransport": "false" } },
    },
  ];
}

function trailBucketArn(cell: Cell): string {
  return arn({ partition: cell.partition, service: "s3", resource: trailBucketName(cell) });
}

/**
 * The bucket that a trail writes to: encrypted with the cell's key, versioned, closed to the public, without access control lists. Part of
 * {@link AuditTrail}; not a component of its own. What is returned has to stand before the trail.
 */
export function createTrailBucket(parts: TrailBucketParts): {
  bucket: aws.s3.Bucket;
  settings: pulumi.Resource[];
} {
  const { name, parent, cell, objectLock } = parts;
  const options = { parent };
  const bucket = new aws.s3.Bucket(
    `${name}-bucket`,
    {
      bucket: trailBucketName(cell),
      forceDestroy: parts.forceDestroy,
      // Only a new bucket can be given object lock; it costs nothing until a rule says what to lock.
      objectLockEnabled: objectLock !== undefined,
    },
    options,
  );
  const of = { bucket: bucket.bucket };
  const ownership = new aws.s3.BucketOwnershipControls(
    `${name}-ownership`,
    { ...of, rule: { objectOwnership: "BucketOwnerEnforced" } },
    options,
  );
  const block = new aws.s3.BucketPublicAccessBlock(
    `${name}-public-access`,
    {
      ...of,
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    },
    options,
  );
  const versioning = new aws.s3.BucketVersioning(
    `${name}-versioning`,
    { ...of, versioningConfiguration: { status: "Enabled" } },
    options,
  );
  const encryption = new aws.s3.BucketServerSideEncryptionConfiguration(
    `${name}-encryption`,
    {
      ...of,
      rules: [
        {
          applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: parts.kmsKeyArn },
          // With a bucket key the encryption context is the bucket's, which the key's policy for CloudTrail does not name.
          bucketKeyEnabled: false,
        },
      ],
    },
    options,
  );
  const policy = new aws.s3.BucketPolicy(
    `${name}-bucket-policy`,
    { ...of, policy: policyDocument(trailBucketStatements(cell)) },
    // S3 refuses changes of public access and of the policy at the same time.
    { parent, dependsOn: [block] },
  );
  const expiration = (days: number) => ({
    expiration: { days },
    noncurrentVersionExpiration: { noncurrentDays: NONCURRENT_DAYS },
  });
  new aws.s3.BucketLifecycleConfiguration(
    `${name}-lifecycle`,
    {
      ...of,
      rules: [
        {
          id: "expire",
          status: "Enabled",
          filter: {},
          ...expiration(parts.expiryDays),
          abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
        },
      ],
    },
    // S3 wants versioning to be settled before rules on versions.
    { parent, dependsOn: [versioning] },
  );
  const settings: pulumi.Resource[] = [ownership, block, versioning, encryption, policy];
  if (objectLock) {
    settings.push(
      new aws.s3.BucketObjectLockConfiguration(
        `${name}-object-lock`,
        { ...of, rule: { defaultRetention: { mode: objectLock.mode, days: objectLock.days } } },
        { parent, dependsOn: [versioning] },
      ),
    );
  }
  return { bucket, settings };
}
