import { type PeerArgs, peerOf } from "../activation/peer";
import { DEFAULT_EMERGENCY_PATH } from "../breakGlassAccount/emergencyUsers";
import { functionNames } from "../lambda/functionNames";
import { type MemberStatement, memberArn, type RoleRequest } from "../memberAccess/requests";
import { type CellArgs, normalizeCell } from "../regional/cell";
import { KEY_ROTATOR_FUNCTIONS, memberRoleName } from "./names";

/** What {@link keyRotatorRoleRequests} works from: the same values as the KeyRotator's own. */
export interface KeyRotatorAccess {
  /** Required. One of the cells. */
  cell: CellArgs;
  /** The other cell, whose rotator may assume the role, too. @default none */
  peer?: PeerArgs;
  /** `audit` or `enforce`: in audit mode the role cannot change anything. @default "audit" */
  mode?: string;
  /** Required. The external id that the rotator gives. */
  externalId: string;
  /** IAM path of the emergency users. @default "/break-glass/" */
  emergencyPath?: string;
  /** `central` or `member`: where new keys are stored. @default "central" */
  storage?: string;
  /** First part of the secrets' names. @default "/bulkhead/keys" */
  secretsPrefix?: string;
  /** Regions of the secrets and their replicas, with storage in the member accounts. @default both cells' regions */
  secretsRegions?: string[];
}

/** What the rotator does with secrets: it never reads a value, deletes a secret, or makes one public. */
export const SECRET_ACTIONS = [
  "secretsmanager:CreateSecret",
  "secretsmanager:DescribeSecret",
  "secretsmanager:PutSecretValue",
  "secretsmanager:ReplicateSecretToRegions",
  "secretsmanager:TagResource",
];

const READ_KEYS = ["iam:GetAccessKeyLastUsed", "iam:ListAccessKeys"];
const ROTATE_KEYS = ["iam:CreateAccessKey", "iam:DeleteAccessKey", "iam:UpdateAccessKey"];

/**
 * The role that the key rotator assumes in each member account: reads of the account's users and keys; in enforce mode also their
 * rotation, and with storage in the member accounts the secrets below the prefix. Emergency users are denied explicitly. A request for
 * {@link MemberAccess}.
 *
 * @throws Error when mode, storage or the emergency users' path is none of the allowed values
 * @example
 * new MemberAccess("members", { cell, peer, roles: keyRotatorRoleRequests({ cell, peer, mode: "enforce", externalId }), ... }, opts);
 */
export function keyRotatorRoleRequests(access: KeyRotatorAccess): RoleRequest[] {
  const cell = normalizeCell(access.cell);
  const cells = access.peer ? [cell, peerOf(cell, access.peer)] : [cell];
  const mode = oneOf("mode", access.mode ?? "audit", ["audit", "enforce"]);
  const storage = oneOf("storage", access.storage ?? "central", ["central", "member"]);
  checkEmergencyPath(access.emergencyPath);
  const users = memberArn({ service: "iam", resource: "user/*" });
  const statements: MemberStatement[] = [
    {
      // These know no resources. The details have every user's groups and tags, the exemption group's members among them.
      Sid: "ReadAccount",
      Effect: "Allow",
      Action: [
        "iam:GenerateCredentialReport",
        "iam:GetAccountAuthorizationDetails",
        "iam:GetCredentialReport",
      ],
      Resource: ["*"],
    },
    { Sid: "ReadKeys", Effect: "Allow", Action: READ_KEYS, Resource: [users] },
  ];
  if (mode === "enforce") {
    statements.push({ Sid: "RotateKeys", Effect: "Allow", Action: ROTATE_KEYS, Resource: [users] });
    if (storage === "member") statements.push(...memberSecretStatements(access, cells));
  }
  statements.push({
    Sid: "NeverEmergencyUsers",
    Effect: "Deny",
    Action: ["iam:*"],
    Resource: [
      memberArn({ service: "iam", resource: `user${access.emergencyPath ?? DEFAULT_EMERGENCY_PATH}*` }),
    ],
  });
  return [
    {
      name: memberRoleName(cell),
      description:
        mode === "audit"
          ? "Lets Bulkhead look at the access keys of the account's users"
          : "Lets Bulkhead rotate the access keys of the account's users",
      trustedRoleArns: cells.map((each) => functionNames(each, KEY_ROTATOR_FUNCTIONS.account).roleArn),
      externalId: access.externalId,
      statements,
    },
  ];
}

function memberSecretStatements(access: KeyRotatorAccess, cells: { region: string }[]): MemberStatement[] {
  const regions = [...new Set(access.secretsRegions ?? cells.map(({ region }) => region))];
  const resource = `secret:${secretsRoot(access.secretsPrefix ?? "/bulkhead/keys")}*`;
  const Resource = regions.map((region) => memberArn({ service: "secretsmanager", region, resource }));
  return [
    { Sid: "StoreKeys", Effect: "Allow", Action: SECRET_ACTIONS, Resource },
    {
      Sid: "NameWhoReadsThem",
      Effect: "Allow",
      Action: ["secretsmanager:PutResourcePolicy"],
      Resource,
      Condition: { Bool: { "secretsmanager:BlockPublicPolicy": ["true"] } },
    },
  ];
}

/** The beginning of every secret's name, with a slash at its end. */
export function secretsRoot(prefix: string): string {
  return `${prefix}/`;
}

/** @throws Error when the path would not keep the rotator from every emergency user */
export function checkEmergencyPath(path = DEFAULT_EMERGENCY_PATH): void {
  if (/^\/([\w-]+\/)+$/.test(path)) return;
  throw new Error(
    `emergencyPath is "${path}": it begins and ends with a slash and is not the root, such as /break-glass/`,
  );
}

/** @throws Error naming the argument, its value and what is allowed */
export function oneOf<T extends string>(argument: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((each) => each === value);
  if (found !== undefined) return found;
  throw new Error(`${argument} is "${value}": ${allowed.map((each) => `"${each}"`).join(" or ")}`);
}
