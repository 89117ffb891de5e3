import { type TestResource, UNKNOWN_VALUE, urnOf } from "./support/analyze";
import { documentOf, itJudges } from "./support/cases";

const RULE = "trail-protected";
const GOOD = {
  name: "bulkhead-trail-dr",
  s3BucketName: "logs",
  isMultiRegionTrail: true,
  enableLogFileValidation: true,
  kmsKeyId: "arn:aws:kms:us-west-2:222222222222:key/k",
};
const trail = (props: Record<string, unknown> = {}): TestResource => ({
  type: "aws:cloudtrail/trail:Trail",
  name: "trail",
  props: { ...GOOD, ...props },
});
const bucket = (props: Record<string, unknown> = {}): TestResource => ({
  type: "aws:s3/bucket:Bucket",
  name: "logs",
  props: { bucket: "logs", id: "logs", ...props },
});
const part = (type: string, props: Record<string, unknown>): TestResource => ({
  type: `aws:s3/${type.charAt(0).toLowerCase()}${type.slice(1)}:${type}`,
  name: type,
  props: { bucket: "logs", ...props },
});
const BLOCK = part("BucketPublicAccessBlock", {
  blockPublicAcls: true,
  blockPublicPolicy: true,
  ignorePublicAcls: true,
  restrictPublicBuckets: true,
});
const ENCRYPTION = part("BucketServerSideEncryptionConfiguration", { rules: [{}] });
const VERSIONING = part("BucketVersioning", { versioningConfiguration: { status: "Enabled" } });
const TLS = {
  Effect: "Deny",
  Principal: "*",
  Action: "s3:*",
  Resource: "*",
  Condition: { Bool: { "aws:SecureTransport": "false" } },
};
const POLICY = part("BucketPolicy", { policy: documentOf(TLS) });
const PARTS = [BLOCK, ENCRYPTION, VERSIONING, POLICY];
const table = (deletionProtectionEnabled: boolean): TestResource => ({
  type: "aws:dynamodb/table:Table",
  name: `t${deletionProtectionEnabled}`,
  props: { deletionProtectionEnabled },
});

describe(RULE, () => {
  describe("trails", () => {
    const rejects = (title: string, props: Record<string, unknown>, report: string) => ({
      title,
      resources: [trail(props)],
      reports: [report],
    });
    const selector = (fields: unknown) => ({ advancedEventSelectors: [{ fieldSelectors: fields }] });
    itJudges(RULE, [
      { title: "accepts a complete one", resources: [trail()] },
      rejects(
        "rejects one region",
        { isMultiRegionTrail: undefined },
        "isMultiRegionTrail: the trail records one region only",
      ),
      rejects(
        "rejects a trail that is switched off",
        { enableLogging: false },
        "enableLogging: the trail records nothing",
      ),
      rejects(
        "rejects log files without validation",
        { enableLogFileValidation: false },
        "enableLogFileValidation",
      ),
      rejects(
        "rejects a trail without global services",
        { includeGlobalServiceEvents: false },
        "IAM, STS and CloudFront",
      ),
      rejects("rejects a trail without a key", { kmsKeyId: undefined }, "kmsKeyId"),
      rejects(
        "rejects writing events only",
        { eventSelectors: [{ includeManagementEvents: true, readWriteType: "WriteOnly" }] },
        "eventSelectors: the selectors leave management events out",
      ),
      rejects(
        "rejects data events only",
        { eventSelectors: [{ includeManagementEvents: false, readWriteType: "All" }] },
        "eventSelectors",
      ),
      rejects(
        "rejects data events only, in the other form",
        selector([{ field: "eventCategory", equals: ["Data"] }]),
        "advancedEventSelectors",
      ),
      rejects(
        "rejects writing events only, in the other form",
        selector([
          { field: "eventCategory", equals: ["Management"] },
          { field: "readOnly", equals: ["false"] },
        ]),
        "advancedEventSelectors",
      ),
      {
        title: "accepts selectors of all management events",
        resources: [
          trail({ eventSelectors: [{ includeManagementEvents: true, readWriteType: "All" }] }),
          trail(selector([{ field: "eventCategory", equals: ["Management"] }])),
        ],
      },
      {
        title: "waits for what is not known",
        resources: [
          trail({
            isMultiRegionTrail: UNKNOWN_VALUE,
            enableLogFileValidation: UNKNOWN_VALUE,
            kmsKeyId: UNKNOWN_VALUE,
            eventSelectors: UNKNOWN_VALUE,
            s3BucketName: UNKNOWN_VALUE,
          }),
        ],
      },
      {
        title: "takes the names of trails from its configuration",
        resources: [trail({ name: "data-events", isMultiRegionTrail: false })],
        config: { trails: ["bulkhead-*"] },
      },
      {
        title: "means a trail without a name in any case",
        resources: [trail({ name: undefined, isMultiRegionTrail: false })],
        config: { trails: ["bulkhead-*"] },
        reports: ["isMultiRegionTrail"],
      },
    ]);
  });

  describe("buckets", () => {
    const lacks = (title: string, missing: TestResource, report: string) => ({
      title,
      resources: [trail(), bucket(), ...PARTS.filter((one) => one !== missing)],
      reports: [report],
    });
    itJudges(RULE, [
      { title: "accepts a protected one", resources: [trail(), bucket(), ...PARTS] },
      lacks("rejects one that may be made public", BLOCK, '"logs": a trail\'s bucket may be made public'),
      lacks(
        "rejects one without a word on encryption",
        ENCRYPTION,
        "nothing says how a trail's bucket is encrypted",
      ),
      lacks("rejects one without versions", VERSIONING, "overwritten or deleted for good"),
      lacks("rejects one without TLS", POLICY, "answers without TLS"),
      {
        title: "rejects a half block",
        resources: [
          trail(),
          bucket(),
          ENCRYPTION,
          VERSIONING,
          POLICY,
          { ...BLOCK, props: { ...BLOCK.props, restrictPublicBuckets: false } },
        ],
        reports: ["made public"],
      },
      {
        title: "rejects suspended versions",
        resources: [
          trail(),
          bucket(),
          ENCRYPTION,
          BLOCK,
          POLICY,
          { ...VERSIONING, props: { bucket: "logs", versioningConfiguration: { status: "Suspended" } } },
        ],
        reports: ["deleted for good"],
      },
      {
        title: "rejects a denial with a second condition",
        resources: [
          trail(),
          bucket(),
          ENCRYPTION,
          BLOCK,
          VERSIONING,
          part("BucketPolicy", {
            policy: documentOf({
              ...TLS,
              Condition: { ...TLS.Condition, StringEquals: { "aws:PrincipalOrgID": "o-a1b2c3d4e5" } },
            }),
          }),
        ],
        reports: ["without TLS"],
      },
      {
        title: "counts no parts of another bucket",
        resources: [
          trail(),
          bucket(),
          ...PARTS.map((one) => ({ ...one, props: { ...one.props, bucket: "other" } })),
        ],
        reports: ["public", "encrypted", "for good", "TLS"],
      },
      {
        title: "accepts parts that are set on the bucket itself",
        resources: [
          trail(),
          bucket({
            versioning: { enabled: true },
            serverSideEncryptionConfiguration: { rule: {} },
            policy: documentOf(TLS),
          }),
          BLOCK,
        ],
      },
      {
        title: "follows what is not known",
        resources: [
          {
            ...trail({ s3BucketName: UNKNOWN_VALUE }),
            propertyDependencies: { s3BucketName: [urnOf(bucket())] },
          },
          bucket({ id: UNKNOWN_VALUE, bucket: UNKNOWN_VALUE }),
        ],
        reports: ["public", "encrypted", "for good", "TLS"],
      },
      {
        title: "waits for parts that are not known",
        resources: [
          trail(),
          bucket(),
          ...PARTS.map((one) => ({
            ...one,
            props: { ...one.props, bucket: UNKNOWN_VALUE, ...(one === POLICY && { policy: UNKNOWN_VALUE }) },
          })),
        ],
      },
      {
        title: "leaves other buckets alone",
        resources: [trail({ s3BucketName: "elsewhere" }), bucket({ forceDestroy: true })],
      },
      {
        title: "rejects a bucket that is emptied",
        resources: [trail(), bucket({ forceDestroy: true }), ...PARTS],
        reports: ["forceDestroy: a trail's bucket is emptied"],
      },
      {
        title: "rejects it beside a protected table",
        resources: [trail(), bucket({ forceDestroy: true }), ...PARTS, table(true), table(false)],
        reports: ["forceDestroy"],
      },
      {
        title: "accepts it in a trial",
        resources: [trail(), bucket({ forceDestroy: true }), ...PARTS, table(false)],
      },
    ]);
  });
});
