import { conditionHolds, conditions, hasEffect, statements, texts, wildcard } from "../lib/iamDocument";
import { principalsOf } from "../lib/principals";
import { byType, relation } from "../lib/references";
import { defineRule, type RuleStackResource, type Violation } from "../lib/rule";
import { matches } from "../lib/ruleConfig";
import { isTrial, TABLE } from "../lib/tables";
import { isObject, list, type Plain, type PlainObject, property, text, UNKNOWN } from "../lib/walk";

/** Rejects trails that miss events, and trails and buckets that could be changed unnoticed. */
export const trailProtected = defineRule({
  id: "trail-protected",
  title: "Trails are complete, and protected",
  description:
    "A trail must record everything in all regions, be validated and encrypted, and write to a protected bucket.",
  severity: "high",
  why:
    "Event rules see API calls only while a trail records them, and read-only calls such as AssumeRole count (fact 20). What an emergency user " +
    "did is audited from the trail afterwards, when whoever did it may have been an administrator: log files have to prove that they are whole.",
  looksAt: [
    "trails: all regions, logging, log file validation, global service events, a KMS key, management events of both kinds",
    "their buckets, where these are in the stack: public access blocked, encrypted, versioned, TLS only, not emptied when deleted",
  ],
  leavesAlone: [
    "buckets of other stacks and accounts",
    "`forceDestroy` in a trial: a stack whose tables all say `deletionProtectionEnabled: false`",
    "which services' management events a trail leaves out, and data events",
  ],
  unknowns:
    "a value that is not known counts as right until it is known; so does a bucket whose tie to the trail is not known.",
  examples: {
    rejected: 'new aws.cloudtrail.Trail("trail", { s3BucketName: bucket.bucket }, { provider });',
    accepted: `new aws.cloudtrail.Trail("trail", {
  s3BucketName: bucket.bucket, isMultiRegionTrail: true, enableLogFileValidation: true, kmsKeyId: key.arn,
}, { provider });`,
  },
  options: {
    trails: {
      description:
        "Names of the trails that the rule is about; * stands for any characters. A trail without a known name is always meant.",
      default: ["*"],
    },
  },
  appliesTo: (type) => type === TRAIL || type === TABLE || type.startsWith("aws:s3/bucket"),
  resource({ type, props }, { trails }, report) {
    if (type === TRAIL && isMeant(props, trails)) for (const violation of gaps(props)) report(violation);
  },
  stack(resources, { trails }, report) {
    const of = byType(resources);
    for (const bucket of of(...BUCKETS)) {
      const holdsTrail = of(TRAIL).some(
        (trail) => isMeant(trail.props, trails) && bucketRelation(trail, "s3BucketName", bucket) === "yes",
      );
      if (!holdsTrail) continue;
      const parts = new Parts(of, bucket);
      for (const { isMet, ...violation } of PROTECTIONS) if (!isMet(parts)) report(bucket, violation);
      if (property(bucket.props, "forceDestroy") === true && !isTrial(of(TABLE))) {
        report(bucket, {
          path: "forceDestroy",
          found: "a trail's bucket is emptied when the stack is destroyed",
          instead: "leave it out: what the trail recorded outlives the stack",
        });
      }
    }
  },
});

const TRAIL = "aws:cloudtrail/trail:Trail";
const BUCKETS = ["aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2"];

function isMeant(props: PlainObject, trails: readonly string[]): boolean {
  const name = text(property(props, "name"));
  return name === undefined || trails.some((pattern) => matches(pattern, name));
}

/** What a trail has to say, with its default. */
const DEMANDS: readonly { path: string; standard: boolean; found: string; instead: string }[] = [
  {
    path: "isMultiRegionTrail",
    standard: false,
    found: "the trail records one region only",
    instead: "write isMultiRegionTrail: true",
  },
  {
    path: "enableLogging",
    standard: true,
    found: "the trail records nothing",
    instead: "leave it out, or write true",
  },
  {
    path: "enableLogFileValidation",
    standard: false,
    found: "nothing would show that a log file was changed or deleted",
    instead: "write enableLogFileValidation: true",
  },
  {
    path: "includeGlobalServiceEvents",
    standard: true,
    found: "the trail leaves out IAM, STS and CloudFront",
    instead: "leave it out, or write true",
  },
];

function gaps(props: PlainObject): Violation[] {
  const found = DEMANDS.flatMap(({ path, standard, ...violation }): Violation[] => {
    const value = property(props, path) ?? standard;
    return value === true || value === UNKNOWN ? [] : [{ path, ...violation }];
  });
  const key = property(props, "kmsKeyId");
  if (key === undefined || key === null || key === "") {
    found.push({
      path: "kmsKeyId",
      found: "whoever can read the bucket can read the trail",
      instead: "write the ARN of the cell's key",
    });
  }
  if (!recordsManagementEvents(props)) {
    found.push({
      path: property(props, "advancedEventSelectors") ? "advancedEventSelectors" : "eventSelectors",
      found: "the selectors leave management events out, all or the reading ones",
      instead: 'write no selectors, or one with includeManagementEvents: true and readWriteType: "All"',
    });
  }
  return found;
}

/** Whether all management events are recorded, reading and writing ones. */
function recordsManagementEvents(props: PlainObject): boolean {
  const basic = list(property(props, "eventSelectors"));
  const advanced = list(property(props, "advancedEventSelectors"));
  if (basic.length === 0 && advanced.length === 0) return true;
  return (
    basic.some(
      (selector) =>
        selector === UNKNOWN ||
        (isObject(selector) &&
          [true, null, undefined, UNKNOWN].includes(property(selector, "includeManagementEvents") as true) &&
          ["All", null, undefined, UNKNOWN].includes(property(selector, "readWriteType") as "All")),
    ) ||
    advanced.some((selector) => selector === UNKNOWN || (isObject(selector) && selectsManagement(selector)))
  );
}

function selectsManagement(selector: PlainObject): boolean {
  const fields = list(property(selector, "fieldSelectors"));
  const about = (name: string) =>
    fields.filter((field) => isObject(field) && property(field, "field") === name);
  const isManagement = about("eventCategory").some(
    (field) => isObject(field) && list(property(field, "equals")).includes("Management"),
  );
  // A selector of reading or of writing events alone leaves the others out.
  return fields.includes(UNKNOWN) || (isManagement && about("readOnly").length === 0);
}

/** The resources that say more about a bucket. */
class Parts {
  constructor(
    private readonly of: ReturnType<typeof byType>,
    readonly bucket: RuleStackResource,
  ) {}

  /** Whether a part of one of the types says what is wanted of this bucket, or may. */
  some(types: readonly string[], says: (props: PlainObject) => boolean): boolean {
    return this.of(...types).some(
      (part) => bucketRelation(part, "bucket", this.bucket) !== "no" && says(part.props),
    );
  }
}

const isTrue = (value: Plain | undefined) => value === true || value === UNKNOWN;

interface Protection extends Violation {
  isMet(parts: Parts): boolean;
}

const PROTECTIONS: readonly Protection[] = [
  {
    isMet: (parts) =>
      parts.some(["aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"], (props) =>
        ["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"].every((name) =>
          isTrue(property(props, name)),
        ),
      ),
    path: "",
    found: "a trail's bucket may be made public",
    instead: "add a BucketPublicAccessBlock with all four settings true",
  },
  {
    isMet: (parts) =>
      hasPart(parts.bucket.props, "serverSideEncryptionConfiguration") ||
      parts.some(
        [
          "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
          "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2",
        ],
        () => true,
      ),
    path: "",
    found: "nothing says how a trail's bucket is encrypted",
    instead: "add a BucketServerSideEncryptionConfiguration with the cell's key",
  },
  {
    isMet: (parts) =>
      list(property(parts.bucket.props, "versioning")).some(
        (versioning) => isObject(versioning) && property(versioning, "enabled") === true,
      ) ||
      parts.some(
        ["aws:s3/bucketVersioning:BucketVersioning", "aws:s3/bucketVersioningV2:BucketVersioningV2"],
        (props) => {
          const settings = property(props, "versioningConfiguration");
          const status = isObject(settings) ? property(settings, "status") : settings;
          return status === "Enabled" || status === UNKNOWN;
        },
      ),
    path: "",
    found: "a log file in a trail's bucket may be overwritten or deleted for good",
    instead: "add a BucketVersioning with status Enabled",
  },
  {
    isMet: (parts) =>
      isTlsOnly(property(parts.bucket.props, "policy")) ||
      parts.some(["aws:s3/bucketPolicy:BucketPolicy"], (props) => isTlsOnly(property(props, "policy"))),
    path: "",
    found: "a trail's bucket answers without TLS",
    instead:
      'deny s3:* to everybody in its policy with the condition {"Bool":{"aws:SecureTransport":"false"}}',
  },
];

function hasPart(props: PlainObject, name: string): boolean {
  // The provider fills in an empty one.
  return list(property(props, name)).some(
    (value) => value === UNKNOWN || (isObject(value) && Object.keys(value).length > 0),
  );
}

/** Whether a bucket's policy denies every request without TLS, or may. */
function isTlsOnly(document: Plain | undefined): boolean {
  const all = statements(document);
  if (!all) return true;
  return all.some((statement) => {
    const block = conditions(statement);
    const [only, ...others] = block ?? [];
    return (
      hasEffect(statement, "Deny") &&
      principalsOf(statement)?.some(({ value }) => value === "*") === true &&
      texts(property(statement, "Action"))?.some((action) => wildcard(action).test("s3:GetObject")) ===
        true &&
      (block === undefined ||
        (only?.key === "aws:securetransport" &&
          others.length === 0 &&
          conditionHolds(only, "false") === true))
    );
  });
}

function bucketRelation(resource: RuleStackResource, propertyName: string, bucket: RuleStackResource) {
  const names = ["bucket", "id", "arn"].map((name) => property(bucket.props, name));
  return relation(resource, propertyName, bucket, (value) => names.includes(value));
}
