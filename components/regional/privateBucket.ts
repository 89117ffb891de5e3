import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { type PolicyStatement, policyDocument } from "./policyDocument";

/** A rule about how long objects are kept. */
type LifecycleRule = aws.types.input.s3.BucketLifecycleConfigurationRule;

/** What a private bucket is made of. */
export interface PrivateBucketParts {
  parent: pulumi.Resource;
  /** Logical names: of the bucket, of its policy, and what those of all other children begin with. */
  names: { bucket: string; policy: string; others: string };
  /** The bucket's own name. */
  bucketName: string;
  /** The bucket's ARN, put together from its name: its policy does not wait for it. */
  bucketArn: string;
  kmsKeyArn: pulumi.Input<string>;
  /** Whether one call of KMS serves many objects. Then the encryption context is the bucket's, not the object's. */
  bucketKey: boolean;
  /** What the bucket's policy says before it denies everything without TLS. */
  statements?: readonly PolicyStatement[];
  lifecycleRules: LifecycleRule[];
  /**
   * The lock that every new object gets; `"none"`: none, said outright. Only a new bucket can be given one.
   * @default not said, which is none
   */
  objectLock?: { mode: string; days: number } | "none";
  /** Whether the bucket is emptied when it is destroyed. */
  forceDestroy: boolean;
}

/** A versioned object that was overwritten or deleted can be had back for so many days. */
const NONCURRENT_DAYS = 30;
/** Parts of uploads that were never completed are removed after so many days. */
const INCOMPLETE_DAYS = 7;

/** What every bucket's rules say of what nobody sees any more; part of one of its lifecycle rules. */
export const LEFTOVERS = {
  noncurrentVersionExpiration: { noncurrentDays: NONCURRENT_DAYS },
  abortIncompleteMultipartUpload: { daysAfterInitiation: INCOMPLETE_DAYS },
};

/** The rule of a bucket all of whose objects are removed after so many days. */
export function expiryRule(days: number): LifecycleRule {
  return { id: "expire", status: "Enabled", filter: {}, expiration: { days }, ...LEFTOVERS };
}

/** Nobody does anything with a bucket without TLS. */
export function onlyOverTls(bucketArn: string): PolicyStatement {
  return {
    Sid: "OnlyOverTls",
    Effect: "Deny",
    Principal: "*",
    Action: "s3:*",
    Resource: [bucketArn, `${bucketArn}/*`],
    Condition: { Bool: { "aws:SecureTransport": "false" } },
  };
}

/**
 * A bucket that is encrypted with the cell's key, versioned, closed to the public, without access control lists and over TLS only. Part of
 * components; not one of its own. `settings` have to stand before anything is written.
 */
export function createPrivateBucket(parts: PrivateBucketParts): {
  bucket: aws.s3.Bucket;
  settings: pulumi.Resource[];
} {
  const { parent, names, objectLock } = parts;
  const options = { parent };
  const lock = objectLock === "none" ? undefined : objectLock;
  const bucket = new aws.s3.Bucket(
    names.bucket,
    {
      bucket: parts.bucketName,
      forceDestroy: parts.forceDestroy,
      // It costs nothing until a rule says what to lock.
      ...(objectLock && { objectLockEnabled: lock !== undefined }),
    },
    options,
  );
  const of = { bucket: bucket.bucket };
  const ownership = new aws.s3.BucketOwnershipControls(
    `${names.others}-ownership`,
    { ...of, rule: { objectOwnership: "BucketOwnerEnforced" } },
    options,
  );
  const block = new aws.s3.BucketPublicAccessBlock(
    `${names.others}-public-access`,
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
    `${names.others}-versioning`,
    { ...of, versioningConfiguration: { status: "Enabled" } },
    options,
  );
  const encryption = new aws.s3.BucketServerSideEncryptionConfiguration(
    `${names.others}-encryption`,
    {
      ...of,
      rules: [
        {
          applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: parts.kmsKeyArn },
          bucketKeyEnabled: parts.bucketKey,
        },
      ],
    },
    options,
  );
  const policy = new aws.s3.BucketPolicy(
    names.policy,
    { ...of, policy: policyDocument([...(parts.statements ?? []), onlyOverTls(parts.bucketArn)]) },
    // S3 refuses changes of public access and of the policy at the same time.
    { parent, dependsOn: [block] },
  );
  // S3 wants versioning to be settled before rules on versions, and before a lock.
  const afterVersioning = { parent, dependsOn: [versioning] };
  new aws.s3.BucketLifecycleConfiguration(
    `${names.others}-lifecycle`,
    { ...of, rules: parts.lifecycleRules },
    afterVersioning,
  );
  const settings: pulumi.Resource[] = [ownership, block, versioning, encryption, policy];
  if (lock) {
    settings.push(
      new aws.s3.BucketObjectLockConfiguration(
        `${names.others}-object-lock`,
        { ...of, rule: { defaultRetention: { mode: lock.mode, days: lock.days } } },
        afterVersioning,
      ),
    );
  }
  return { bucket, settings };
}
