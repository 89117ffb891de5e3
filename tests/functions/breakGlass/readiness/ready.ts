/** Emergency access as it should be: the policy of two cells, and observations that meet every requirement. */
import { denyWithoutMfaStatements } from "../../../../components/breakGlassAccount/denyWithoutMfa";
import { type Observations, ruleKey } from "../../../../functions/breakGlass/readiness/observations";
import { observed } from "../../../../functions/breakGlass/readiness/observed";
import type { ExpectedCell, ReadinessPolicy } from "../../../../functions/breakGlass/readiness/policy";

export const NOW = new Date("2026-03-02T06:00:00.000Z");
export const ACCOUNT = "222222222222";
export const ALICE = "breakglass-admin-1";
export const BOB = "breakglass-admin-2";
export const ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess";
export const DENY = `arn:aws:iam::${ACCOUNT}:policy/break-glass/bulkhead-deny-without-mfa`;

/** A time so many days before now. */
export const daysAgo = (days: number) => new Date(NOW.getTime() - days * 24 * 3600_000).toISOString();

function cell(name: string, region: string): ExpectedCell {
  const topicArn = `arn:aws:sns:${region}:${ACCOUNT}:bulkhead-breakglass-alerts`;
  return {
    name,
    region,
    topicArn,
    rules: [
      {
        name: "bulkhead-breakglass-use",
        region,
        bus: "default",
        state: "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
        targetArns: [topicArn],
      },
      {
        name: "bulkhead-breakglass-signin",
        region,
        bus: "default",
        state: "ENABLED",
        targetArns: [topicArn],
      },
      {
        name: "bulkhead-breakglass-signin",
        region: "eu-north-1",
        bus: "default",
        state: "ENABLED",
        targetArns: [`arn:aws:events:${region}:${ACCOUNT}:event-bus/bulkhead-hub`],
      },
    ],
    trail: {
      name: `bulkhead-trail-${name}`,
      bucketName: `bulkhead-trail-${name}-${ACCOUNT}-${region}`,
      logGroupName: `/bulkhead/bulkhead-trail-${name}`,
    },
    metricFilters: [`BreakglassLogin-${ALICE}`, `BreakglassLogin-${BOB}`],
    alarms: [`BreakglassAccountUsed-${ALICE}`, `BreakglassAccountUsed-${BOB}`],
    readinessAlarms: ["bulkhead-readiness-drill-held", "bulkhead-readiness-trail"],
    queues: ["bulkhead-breakglass-undelivered"],
  };
}

/** A fresh policy. */
export function readyPolicy(): ReadinessPolicy {
  const cells = [cell("prod", "us-east-1"), cell("dr", "us-west-2")];
  return {
    partition: "aws",
    accountId: ACCOUNT,
    path: "/break-glass/",
    userNames: [ALICE, BOB],
    ownerCell: "prod",
    denyPolicyArn: DENY,
    administratorPolicyArn: ADMINISTRATOR,
    passwordPolicy: { minimumLength: 32, maximumAgeDays: 90 },
    passwordMaxAgeDays: 90,
    drillMaxAgeDays: 90,
    stewardMaxAgeHours: 26,
    demandsFido: true,
    toleratedScpStatements: [],
    cells,
    stewards: cells.map(({ name, region }) => ({
      cell: name,
      region,
      functionName: "bulkhead-breakglass-steward",
      bucketName: `bulkhead-reports-${ACCOUNT}-${region}`,
    })),
    evidenceCells: ["prod", "dr"],
    stsRegions: ["us-east-1", "us-west-2"],
  };
}

const totp = (user: string, holder: string) => ({
  userName: user,
  serialNumber: `arn:aws:iam::${ACCOUNT}:mfa/${user}-${holder}`,
  deviceKind: "totp" as const,
  holder: `${holder}@example.com`,
});
const fido = (user: string, holder: string) => ({
  userName: user,
  serialNumber: `arn:aws:iam::${ACCOUNT}:u2f/user/${user}/${holder}-KEY`,
  deviceKind: "fido" as const,
  holder: `${holder}@example.com`,
});

const DEVICES = [totp(ALICE, "alice"), fido(ALICE, "carol"), totp(BOB, "bob"), fido(BOB, "dave")];

/** Fresh observations of what the policy expects. */
export function readyObservations(policy: ReadinessPolicy = readyPolicy()): Observations {
  const actions = (decision: string, allowedByOrganization: boolean) =>
    ["iam:UpdateLoginProfile", "sts:AssumeRole"].map((action) => ({
      action,
      decision,
      allowedByOrganization,
    }));
  const evidence = () =>
    observed({
      passwordIssued: [
        {
          kind: "passwordIssued" as const,
          id: `${daysAgo(10)}#rotation`,
          at: daysAgo(10),
          by: "operator",
          userName: ALICE,
          rotationId: "rotation",
          state: "effective" as const,
          custodian: "alice@example.com",
          keyFingerprint: "A".repeat(40),
          ciphertext: "",
          cause: "afterUse" as const,
        },
      ],
      deviceEnrolled: DEVICES.map((device, index) => ({
        kind: "deviceEnrolled" as const,
        id: `${daysAgo(60)}#${index}`,
        at: daysAgo(60),
        by: "operator",
        ...device,
      })),
      deviceRemoved: [],
      custodianLeft: [],
      useOpened: [
        {
          kind: "useOpened" as const,
          id: `${daysAgo(11)}#use`,
          at: daysAgo(11),
          by: "bulkhead-breakglass-use",
          userName: ALICE,
          useId: "use",
          cell: "dr",
          firstCall: "ConsoleLogin",
          region: "us-west-2",
        },
      ],
      drillHeld: [
        {
          kind: "drillHeld" as const,
          id: `${daysAgo(11)}#drill`,
          at: daysAgo(11),
          by: "operator",
          startedAt: daysAgo(11),
          participants: ["alice@example.com", "carol@example.com"],
          userName: ALICE,
          region: "us-west-2",
          outcome: "passed" as const,
          steps: [],
        },
      ],
    });
  return {
    account: {
      usersUnderPath: observed([...policy.userNames]),
      passwordPolicy: observed({ minimumLength: 32, maximumAgeDays: 90, hardExpiry: false }),
      credentialReport: observed({ [ALICE]: daysAgo(10), [BOB]: daysAgo(30) }),
      denyPolicy: observed(JSON.stringify({ Version: "2012-10-17", Statement: denyWithoutMfaStatements() })),
      organization: observed({
        membership: "member",
        enforced: true,
        levels: [ACCOUNT, "ou-ab12-security", "r-ab12"].map((id) => ({
          id,
          policies: [
            {
              id: "p-FullAWSAccess",
              name: "FullAWSAccess",
              document: JSON.stringify({
                Version: "2012-10-17",
                Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }],
              }),
            },
          ],
        })),
      }),
    },
    users: Object.fromEntries(
      policy.userNames.map((userName) => [
        userName,
        {
          user: observed({
            arn: `arn:aws:iam::${ACCOUNT}:user/break-glass/${userName}`,
            path: "/break-glass/",
            ...(userName === ALICE && { passwordLastUsed: daysAgo(11) }),
            tags: {
              owner: userName === ALICE ? "alice@example.com" : "bob@example.com",
              purpose: "Emergency access",
              "bulkhead:key-rotation": "exempt",
            },
          }),
          loginProfile: observed({ createdAt: daysAgo(60), resetRequired: false }),
          accessKeys: observed(0),
          devices: observed(
            DEVICES.filter((device) => device.userName === userName).map((device) => device.serialNumber),
          ),
          attachedPolicies: observed([DENY, ADMINISTRATOR]),
          inlinePolicies: observed([]),
          groups: observed([]),
          simulatedWithMfa: observed(actions("allowed", true)),
          simulatedWithoutMfa: observed(actions("explicitDeny", true)),
        },
      ]),
    ),
    evidence: { prod: evidence(), dr: evidence() },
    stewards: { prod: observed(daysAgo(0.9)), dr: observed(daysAgo(0.9)) },
    sts: { "us-east-1": observed({ accountId: ACCOUNT }), "us-west-2": observed({ accountId: ACCOUNT }) },
    cells: Object.fromEntries(
      policy.cells.map((expected) => [
        expected.name,
        {
          rules: Object.fromEntries(
            expected.rules.map((rule) => [
              ruleKey(rule),
              observed({ state: rule.state, targetArns: [...rule.targetArns] }),
            ]),
          ),
          topic: observed({ encrypted: true }),
          subscriptions: observed([
            { protocol: "email", endpoint: "security@example.com", confirmed: true },
            { protocol: "lambda", endpoint: "arn:aws:lambda:x", confirmed: true },
          ]),
          trail: observed({
            homeRegion: expected.region,
            multiRegion: true,
            globalServiceEvents: true,
            validated: true,
            bucketName: expected.trail.bucketName,
            logGroupArn: `arn:aws:logs:${expected.region}:${ACCOUNT}:log-group:${expected.trail.logGroupName}:*`,
          }),
          trailStatus: observed({ logging: true }),
          trailRecordsManagementEvents: observed(true),
          bucketEncrypted: observed(true),
          bucketPublicAccessBlocked: observed(true),
          metricFilters: observed([...expected.metricFilters]),
          alarms: observed(
            Object.fromEntries(
              [...expected.alarms, ...expected.readinessAlarms].map((alarm) => [
                alarm,
                { actionsEnabled: true, actionArns: [expected.topicArn] },
              ]),
            ),
          ),
          queues: Object.fromEntries(expected.queues.map((queue) => [queue, observed(0)])),
        },
      ]),
    ),
  };
}
