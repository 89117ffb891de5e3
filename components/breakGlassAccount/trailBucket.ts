import type * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { Cell } from "../regional/cell";
import { arn } from "../regional/partition";
import type { PolicyStatement } from "../regional/policyDocument";
import { createPrivateBucket, expiryRule } from "../regional/privateBucket";
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

/**
 * What a trail may do with its bucket: CloudTrail may write for this one trail, in this account's folder (CloudTrail user guide, "Amazon S3
 * bucket policy for CloudTrail").
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
  ];
}

function trailBucketArn(cell: Cell): string {
  return arn({ partition: cell.partition, service: "s3", resource: trailBucketName(cell) });
}

/** The bucket that a trail writes to. Part of {@link AuditTrail}. What is returned has to stand before the trail. */
export function createTrailBucket(parts: TrailBucketParts): {
  bucket: aws.s3.Bucket;
  settings: pulumi.Resource[];
} {
  const { parent, name, cell, kmsKeyArn, forceDestroy } = parts;
  return createPrivateBucket({
    parent,
    names: { bucket: `${name}-bucket`, policy: `${name}-bucket-policy`, others: name },
    bucketName: trailBucketName(cell),
    bucketArn: trailBucketArn(cell),
    kmsKeyArn,
    // With a bucket key the encryption context is the bucket's, which the key's policy for CloudTrail does not name.
    bucketKey: false,
    statements: trailBucketStatements(cell),
    lifecycleRules: [expiryRule(parts.expiryDays)],
    objectLock: parts.objectLock ?? "none",
    forceDestroy,
  });
}
