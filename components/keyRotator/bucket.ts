import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { Cell } from "../regional/cell";
import { type PolicyStatement, policyDocument } from "../regional/policyDocument";
import { bucketArn, bucketName } from "./names";

/** What the rotator's bucket is made of. */
export interface RotatorBucketParts {
  /** The parent; the children are named after it: `NAME-bucket` and so on. */
  parent: pulumi.Resource;
  /** Logical name of the parent. */
  name: string;
  cell: Cell;
  kmsKeyArn: pulumi.Input<string>;
  /** Days that results and reports are kept; templates and the last list of accounts are kept always. */
  retentionDays: number;
  /** Folders whose objects expire. */
  expiring: string[];
  /** Whether the bucket is emptied when it is destroyed. */
  forceDestroy: boolean;
}

/** An object that was overwritten or deleted can be had back for so many days. */
const NONCURRENT_DAYS = 30;

function bucketStatements(cell: Cell): PolicyStatement[] {
  return [
    {
      Sid: "OnlyOverTls",
      Effect: "Deny",
      Principal: "*",
      Action: "s3:*",
      Resource: [bucketArn(cell), bucketArn(cell, "*")],
      Condition: { Bool: { "aws:SecureTransport": "false" } },
    },
  ];
}

/**
 * The bucket for account lists, results, reports and mail templates: encrypted with the cell's key, versioned, closed to the public, over TLS
 * only. Part of {@link KeyRotator}; not a component of its own. What is returned has to stand before anything is written.
 */
export function createRotatorBucket(parts: RotatorBucketParts): {
  bucket: aws.s3.Bucket;
  settings: pulumi.Resource[];
} {
  const { name, parent, cell } = parts;
  const options = { parent };
  const bucket = new aws.s3.Bucket(
    `${name}-bucket`,
    { bucket: bucketName(cell), forceDestroy: parts.forceDestroy },
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
          // A run writes thousands of objects: with a bucket key most of them cost no call of KMS.
          bucketKeyEnabled: true,
        },
      ],
    },
    options,
  );
  const policy = new aws.s3.BucketPolicy(
    `${name}-bucket-policy`,
    { ...of, policy: policyDocument(bucketStatements(cell)) },
    // S3 refuses changes of public access and of the policy at the same time.
    { parent, dependsOn: [block] },
  );
  new aws.s3.BucketLifecycleConfiguration(
    `${name}-lifecycle`,
    {
      ...of,
      rules: [
        {
          id: "old-versions",
          status: "Enabled",
          filter: {},
          noncurrentVersionExpiration: { noncurrentDays: NONCURRENT_DAYS },
          abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
        },
        ...parts.expiring.map((prefix, index) => ({
          id: `expire-${index + 1}`,
          status: "Enabled",
          filter: { prefix },
          expiration: { days: parts.retentionDays },
        })),
      ],
    },
    // S3 wants versioning to be settled before rules on versions.
    { parent, dependsOn: [versioning] },
  );
  return { bucket, settings: [ownership, block, versioning, encryption, policy] };
}
