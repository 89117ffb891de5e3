import type { OperationDefinition } from "./definition";
import { exactly, sameAccount, text } from "./values";

/** S3's rules for bucket names; names that are older than the rules are refused. */
const bucketName = text(
  "a bucket's name",
  /^(?!xn--|sthree-)(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9](?:[a-z0-9-]|\.(?!\.))*[a-z0-9]$/,
  63,
);
const host = { key: "Host", kind: text("a host name", /^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:\d{1,5})?$/) };

/** A call about a bucket. Its ARN names no account, so the call names the owner that it expects. */
function bucketCall(
  api: string,
  title: string,
  danger: OperationDefinition["danger"],
  harmless: OperationDefinition["harmless"],
): OperationDefinition {
  return {
    event: `s3:${api}`,
    eventSource: "s3.amazonaws.com",
    eventName: api,
    byDefault: true,
    service: "s3",
    api,
    client: "@aws-sdk/client-s3",
    danger,
    title,
    parameters: [{ key: "bucketName", input: "Bucket", kind: bucketName, required: true }],
    accountInputs: ["ExpectedBucketOwner"],
    harmless: [host, { key: "x-amz-expected-bucket-owner", kind: sameAccount }, ...harmless],
    grants: [
      {
        actions: [`s3:${api}`],
        resource: { service: "s3", regional: false, ofAccount: false, resource: "{Bucket}" },
      },
    ],
    fromArn: true,
  };
}

/** Calls of S3. Deleting objects is a data event, which reaches no event rule by itself. */
export const S3_OPERATIONS: readonly OperationDefinition[] = [
  bucketCall("DeleteBucket", "Delete a bucket", "data", []),
  bucketCall("DeleteBucketPolicy", "Delete a bucket's policy", "access", [
    { key: "policy", kind: exactly("") },
  ]),
  {
    event: "s3:DeleteAccessPoint",
    eventSource: "s3.amazonaws.com",
    eventName: "DeleteAccessPoint",
    byDefault: true,
    service: "s3control",
    api: "DeleteAccessPoint",
    client: "@aws-sdk/client-s3-control",
    danger: "access",
    title: "Delete an access point",
    parameters: [
      {
        key: "name",
        input: "Name",
        kind: text("an access point's name", /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/, 50),
        required: true,
      },
    ],
    accountInputs: ["AccountId"],
    harmless: [host],
    grants: [
      {
        actions: ["s3:DeleteAccessPoint"],
        resource: { service: "s3", regional: true, ofAccount: true, resource: "accesspoint/{Name}" },
      },
    ],
    fromArn: true,
  },
];
