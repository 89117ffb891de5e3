import { expect } from "chai";
import { AuditTrail, type AuditTrailArgs } from "../../components/breakGlassAccount/auditTrail";
import {
  trailArn,
  trailBucketName,
  trailLogGroupName,
  trailName,
} from "../../components/breakGlassAccount/trailNames";
import { type CellArgs, normalizeCell } from "../../components/regional/cell";
import { cellKeyStatements } from "../../components/regional/cellKey";
import { RegionalProvider } from "../../components/regional/regionalProvider";
import { jsonInput, type PulumiMocks, startMocks } from "../support/pulumiMocks";

const ACCOUNT = "222222222222";
const userNames = ["breakglass-admin-1", "breakglass-admin-2"];

/** A cell of each partition; in the first, both regions. */
const CELLS: { cell: CellArgs; partition: string }[] = [
  { cell: { name: "prod", region: "us-east-1", accountId: ACCOUNT }, partition: "aws" },
  { cell: { name: "dr", region: "us-west-2", accountId: ACCOUNT }, partition: "aws" },
  { cell: { name: "prod", region: "cn-north-1", accountId: ACCOUNT }, partition: "aws-cn" },
  { cell: { name: "prod", region: "us-gov-west-1", accountId: ACCOUNT }, partition: "aws-us-gov" },
];

describe("AuditTrail", () => {
  let mocks: PulumiMocks;
  beforeEach(async () => {
    mocks = await startMocks();
  });

  function create(cell: CellArgs, change: Partial<AuditTrailArgs> = {}): AuditTrail {
    const partition = normalizeCell(cell).partition;
    return new AuditTrail(
      "trail",
      {
        cell,
        userNames,
        alertTopicArn: `arn:${partition}:sns:${cell.region}:${ACCOUNT}:alerts`,
        kmsKeyArn: `arn:${partition}:kms:${cell.region}:${ACCOUNT}:key/k`,
        ...change,
      },
      { provider: new RegionalProvider("provider", { cell }) },
    );
  }

  /** Inputs of the one resource of a type. */
  const inputsOf = (type: string) => mocks.find(type).inputs;

  for (const { cell, partition } of CELLS) {
    const stack = cell.name;
    const bucketName = `bulkhead-trail-${stack}-${ACCOUNT}-${cell.region}`;
    const bucketArn = `arn:${partition}:s3:::${bucketName}`;
    const arn = `arn:${partition}:cloudtrail:${cell.region}:${ACCOUNT}:trail/bulkhead-trail-${stack}`;
    const logGroup = `/bulkhead/bulkhead-trail-${stack}`;
    const kmsKeyArn = `arn:${partition}:kms:${cell.region}:${ACCOUNT}:key/k`;

    it(`records all regions from ${cell.region}, validated and encrypted, to bucket and log group`, async () => {
      const outputs = await mocks.outputsOf(create(cell));
      expect(inputsOf("aws:cloudtrail/trail:Trail")).to.deep.equal({
        name: `bulkhead-trail-${stack}`,
        s3BucketName: bucketName,
        kmsKeyId: kmsKeyArn,
        isMultiRegionTrail: true,
        includeGlobalServiceEvents: true,
        enableLogFileValidation: true,
        enableLogging: true,
        cloudWatchLogsGroupArn: `arn:${partition}:logs:${cell.region}:${ACCOUNT}:log-group:${logGroup}:*`,
        cloudWatchLogsRoleArn: `arn:${partition}:iam::${ACCOUNT}:role/bulkhead/bulkhead-trail-${stack}`,
      });
      expect(inputsOf("aws:cloudwatch/logGroup:LogGroup")).to.deep.equal({
        name: logGroup,
        retentionInDays: 365,
        kmsKeyId: kmsKeyArn,
      });
      expect(outputs).to.deep.equal({
        trailArn: arn,
        bucketName,
        logGroupName: logGroup,
        alarmNames: userNames.map((name) => `BreakglassAccountUsed-${name}`),
      });
      expect(mocks.withDefaultProvider()).to.deep.equal([]);
      for (const resource of mocks.resources.filter(
        (one) => one.custom && !one.type.startsWith("pulumi:") && !one.type.startsWith("aws:iam"),
      )) {
        expect(resource.region, resource.name).to.equal(cell.region);
      }
    });

    it(`lets CloudTrail write for that trail only, in ${cell.region}`, async () => {
      await mocks.outputsOf(create(cell));
      const policy = mocks.find("aws:s3/bucketPolicy:BucketPolicy");
      const Principal = { Service: "cloudtrail.amazonaws.com" };
      expect(jsonInput(policy, "policy")).to.deep.equal({
        Version: "2012-10-17",
        Statement: [
          {
            Sid: "TrailReadsTheAcl",
            Effect: "Allow",
            Principal,
            Action: "s3:GetBucketAcl",
            Resource: bucketArn,
            Condition: { StringEquals: { "aws:SourceArn": arn } },
          },
          {
            Sid: "TrailWrites",
            Effect: "Allow",
            Principal,
            Action: "s3:PutObject",
            Resource: `${bucketArn}/AWSLogs/${ACCOUNT}/*`,
            Condition: {
              StringEquals: { "aws:SourceArn": arn, "s3:x-amz-acl": "bucket-owner-full-control" },
            },
          },
          {
            Sid: "OnlyOverTls",
            Effect: "Deny",
            Principal: "*",
            Action: "s3:*",
            Resource: [bucketArn, `${bucketArn}/*`],
            Condition: { Bool: { "aws:SecureTransport": "false" } },
          },
        ],
      });
      const role = mocks.find("aws:iam/role:Role");
      expect(role.inputs).to.deep.include({ name: `bulkhead-trail-${stack}`, path: "/bulkhead/" });
      expect(jsonInput(role, "assumeRolePolicy").Statement).to.deep.equal([
        { Effect: "Allow", Principal, Action: "sts:AssumeRole" },
      ]);
      expect(jsonInput(mocks.find("aws:iam/rolePolicy:RolePolicy"), "policy").Statement).to.deep.equal([
        {
          Sid: "TrailWritesItsStreams",
          Effect: "Allow",
          Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
          Resource: `arn:${partition}:logs:${cell.region}:${ACCOUNT}:log-group:${logGroup}:log-stream:${ACCOUNT}_CloudTrail_*`,
        },
      ]);
    });

    it(`has a key policy that lets the trail of ${cell.region} encrypt, and no other`, () => {
      const statements = cellKeyStatements(normalizeCell(cell)).filter(
        ({ Principal }) =>
          JSON.stringify(Principal) === JSON.stringify({ Service: "cloudtrail.amazonaws.com" }),
      );
      expect(statements.map(({ Action, Condition }) => ({ Action, Condition }))).to.deep.equal([
        {
          Action: "kms:GenerateDataKey*",
          Condition: {
            StringEquals: { "aws:SourceArn": arn },
            StringLike: {
              "kms:EncryptionContext:aws:cloudtrail:arn": `arn:${partition}:cloudtrail:*:${ACCOUNT}:trail/*`,
            },
          },
        },
        { Action: "kms:DescribeKey", Condition: { StringEquals: { "aws:SourceArn": arn } } },
      ]);
    });
  }

  const prod = CELLS[0]!.cell;

  it("protects the bucket: closed, encrypted, versioned, no access control lists, kept for the days given", async () => {
    await mocks.outputsOf(create(prod, { expiryDays: 2557 }));
    const bucket = "bulkhead-trail-prod-222222222222-us-east-1";
    expect(inputsOf("aws:s3/bucket:Bucket")).to.deep.equal({
      bucket,
      forceDestroy: false,
      objectLockEnabled: false,
    });
    expect(inputsOf("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock")).to.deep.equal({
      bucket,
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    });
    expect(inputsOf("aws:s3/bucketOwnershipControls:BucketOwnershipControls")).to.deep.equal({
      bucket,
      rule: { objectOwnership: "BucketOwnerEnforced" },
    });
    expect(inputsOf("aws:s3/bucketVersioning:BucketVersioning")).to.deep.equal({
      bucket,
      versioningConfiguration: { status: "Enabled" },
    });
    expect(
      inputsOf("aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"),
    ).to.deep.equal({
      bucket,
      rules: [
        {
          applyServerSideEncryptionByDefault: {
            sseAlgorithm: "aws:kms",
            kmsMasterKeyId: "arn:aws:kms:us-east-1:222222222222:key/k",
          },
          bucketKeyEnabled: false,
        },
      ],
    });
    expect(inputsOf("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration")).to.deep.equal({
      bucket,
      rules: [
        {
          id: "expire",
          status: "Enabled",
          filter: {},
          expiration: { days: 2557 },
          noncurrentVersionExpiration: { noncurrentDays: 30 },
          abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
        },
      ],
    });
    expect(mocks.ofType("aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration")).to.deep.equal(
      [],
    );
  });

  it("has everything that CloudTrail looks at before the trail", async () => {
    await mocks.outputsOf(create(prod, { objectLockMode: "GOVERNANCE" }));
    const trail = mocks.find("aws:cloudtrail/trail:Trail");
    expect(trail.dependencyNames).to.include.members(
      ["bucket-policy", "delivery-policy", "encryption", "object-lock", "public-access", "versioning"].map(
        (part) => `trail-${part}`,
      ),
    );
  });

  it("locks log files where that is wanted", async () => {
    await mocks.outputsOf(create(prod, { objectLockMode: "COMPLIANCE", objectLockDays: 365 }));
    expect(inputsOf("aws:s3/bucket:Bucket").objectLockEnabled).to.equal(true);
    expect(inputsOf("aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration")).to.deep.equal({
      bucket: "bulkhead-trail-prod-222222222222-us-east-1",
      rule: { defaultRetention: { mode: "COMPLIANCE", days: 365 } },
    });
  });

  it("has the first source document's metric filter and alarm for each user", async () => {
    await mocks.outputsOf(create(prod));
    expect(
      mocks.ofType("aws:cloudwatch/logMetricFilter:LogMetricFilter").map(({ inputs }) => inputs),
    ).to.deep.equal(
      userNames.map((userName) => ({
        name: `BreakglassLogin-${userName}`,
        logGroupName: "/bulkhead/bulkhead-trail-prod",
        pattern: `{ ($.userIdentity.userName = "${userName}") || ($.userIdentity.arn = "*/${userName}") }`,
        metricTransformation: {
          name: `BreakglassLoginCount-${userName}`,
          namespace: "Security/BreakglassMonitoring",
          value: "1",
        },
      })),
    );
    expect(mocks.ofType("aws:cloudwatch/metricAlarm:MetricAlarm").map(({ inputs }) => inputs)).to.deep.equal(
      userNames.map((userName) => ({
        name: `BreakglassAccountUsed-${userName}`,
        alarmDescription: `Emergency user ${userName} was used, as the trail tells. If you do not know of an emergency, treat this as a break-in.`,
        namespace: "Security/BreakglassMonitoring",
        metricName: `BreakglassLoginCount-${userName}`,
        statistic: "Sum",
        period: 60,
        evaluationPeriods: 1,
        threshold: 1,
        comparisonOperator: "GreaterThanOrEqualToThreshold",
        treatMissingData: "notBreaching",
        alarmActions: ["arn:aws:sns:us-east-1:222222222222:alerts"],
      })),
    );
  });

  const REFUSED: [Partial<AuditTrailArgs>, string][] = [
    [{ userNames: ["one"] }, "at least 2 are needed"],
    [{ userNames: ["one", 'two" || "'] }, 'emergency user name "two" || ""'],
    [{ logRetentionDays: 100 }, "logRetentionDays is 100: one of 1, 3,"],
    [{ expiryDays: 7 }, "expiryDays is 7: a whole number from 30 to 36500"],
    [{ objectLockMode: "governance" }, 'objectLockMode is "governance": GOVERNANCE or COMPLIANCE'],
    [{ objectLockDays: 30 }, "objectLockDays is 30 without objectLockMode"],
    [
      { objectLockMode: "GOVERNANCE", objectLockDays: 500 },
      "objectLockDays is 500: a whole number from 1 to 400",
    ],
  ];
  for (const [change, message] of REFUSED) {
    it(`refuses ${JSON.stringify(change)}`, () => {
      expect(() => create(prod, change)).to.throw(message);
    });
  }

  describe("names", () => {
    it("are known before anything exists", () => {
      const cell = normalizeCell({ ...prod, namePrefix: "acme" });
      expect(trailName(cell)).to.equal("acme-trail-prod");
      expect(trailArn(cell)).to.equal("arn:aws:cloudtrail:us-east-1:222222222222:trail/acme-trail-prod");
      expect(trailBucketName(cell)).to.equal("acme-trail-prod-222222222222-us-east-1");
      expect(trailLogGroupName(cell)).to.equal("/acme/acme-trail-prod");
    });

    it("are refused when S3 or CloudTrail would refuse them", () => {
      const long = normalizeCell({ ...prod, namePrefix: "a23456789012345678", name: "b2345678901234567" });
      expect(() => trailBucketName(long)).to.throw("65 characters, 63 are allowed: shorten cell.namePrefix");
      const hyphens = normalizeCell({ ...prod, name: "us--prod" });
      expect(() => trailName(hyphens)).to.throw("two hyphens in a row");
    });
  });
});
