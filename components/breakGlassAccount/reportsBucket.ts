import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { Cell } from "../regional/cell";
import { type PolicyStatement, policyDocument } from "../regional/policyDocument";
import { reportsBucketArn, reportsBucketName } from "./readinessNames";

/** What a bucket for reports is made of. */
export interface ReportsBucketParts {
  /** The parent; the children are named after it: `NAME-reports` and so on. */
  parent: pulumi.Resource;
  /** Logical name of the parent. */
  name: string;
  cell: Cell;
  kmsKeyArn: pulumi.Input<string>;
  /** Days after which reports are removed. */
  expiryDays: number;
  /** Whether the bucket is emptied when it is destroyed. */
  forceDestroy: boolean;
}

/** An overwritten or deleted report can be had back for so many days. */
const NONCURRENT_DAYS = 30;

/** Nobody does anything without TLS; IAM policies of the account decide the rest. */
export function reportsBucketStatements(cell: Cell): PolicyStatement[] {
  const bucketArn = reportsBucketArn(cell);
  return [
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

/**
 * A bucket for a cell's reports: encrypted with the cell's key, versioned, closed to the public, without access control lists. Part of
 * {@link BreakGlassSteward}; not a component of its own.
 */
export function createReportsBucket(parts: ReportsBucketParts): aws.s3.Bucket {
  const { name, parent } = parts;
  const options = { parent };
  const bucket = new aws.s3.Bucket(
    `${name}-reports`,
    { bucket: reportsBucketName(parts.cell), forceDestroy: parts.forceDestroy },
    options,
  );
  const of = { bucket: bucket.bucket };
  new aws.s3.BucketOwnershipControls(
    `${name}-reports-ownership`,
    { ...of, rule: { objectOwnership: "BucketOwnerEnforced" } },
    options,
  );
  const block = new aws.s3.BucketPublicAccessBlock(
    `${name}-reports-public-access`,
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
    `${name}-reports-versioning`,
    { ...of, versioningConfiguration: { status: "Enabled" } },
    options,
  );
  new aws.s3.BucketServerSideEncryptionConfiguration(
    `${name}-reports-encryption`,
    {
      ...of,
      rules: [
        {
          applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: parts.kmsKeyArn },
          bucketKeyEnabled: true,
        },
      ],
    },
    options,
  );
  new aws.s3.BucketPolicy(
    `${name}-reports-policy`,
    { ...of, policy: policyDocument(reportsBucketStatements(parts.cell)) },
    // S3 refuses changes of public access and of the policy at the same time.
    { parent, dependsOn: [block] },
  );
  new aws.s3.BucketLifecycleConfiguration(
    `${name}-reports-lifecycle`,
    {
      ...of,
      rules: [
        {
          id: "expire",
          status: "Enabled",
          filter: {},
          expiration: { days: parts.expiryDays },
          noncurrentVersionExpiration: { noncurrentDays: NONCURRENT_DAYS },
          abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
        },
      ],
    },
    // S3 wants versioning to be settled before rules on versions.
    { parent, dependsOn: [versioning] },
  );
  return bucket;
}
