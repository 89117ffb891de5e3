import type * as pulumi from "@pulumi/pulumi";
import { KeyRotator } from "../components/keyRotator/keyRotator";
import { keyRotatorRoleRequests } from "../components/keyRotator/requests";
import type { FunctionVpcArgs } from "../components/lambda/regionalFunction";
import type { RoleRequest } from "../components/memberAccess/requests";
import type { CellArgs } from "../components/regional/cell";
import type { StackConfig } from "./config";
import { mailSending } from "./mail";

/** What of the cell its key rotator works with. */
export interface KeyRotationParts {
  cell: CellArgs;
  kmsKeyArn: pulumi.Input<string>;
  alertTopicArn: pulumi.Input<string>;
  /** The existing network, with a way out. Undefined: Lambda's own. */
  vpc: FunctionVpcArgs | undefined;
}

/** The cell's key rotator; none with keyRotation off. */
export function composeKeyRotation(
  { cell, kmsKeyArn, alertTopicArn, vpc }: KeyRotationParts,
  config: StackConfig,
  opts: pulumi.ComponentResourceOptions,
): KeyRotator | undefined {
  if (config.keyRotation === "off") return undefined;
  const sending = mailSending(config);
  return new KeyRotator(
    "keys",
    {
      cell,
      peer: { name: config.peerName, region: config.peerRegion },
      kmsKeyArn,
      alertTopicArn,
      mode: config.keyRotation,
      externalId: config.keyRotationExternalId,
      rotateDays: config.keyRotateDays,
      deactivateDays: config.keyDeactivateDays,
      deleteDays: config.keyDeleteDays,
      idleDays: config.keyIdleDays,
      exemptGroup: config.keyExemptGroup,
      emergencyUserNames: config.emergencyUsers,
      organizationId: config.organizationId,
      managementAccountId: config.managementAccountId,
      ...rotatedAccounts(config),
      storage: config.keyStorage,
      secretsRegion: homeRegion(config),
      secretReplicas: config.keyReplicaRegions.map((region, index) => ({
        region,
        ...(config.keyReplicaKmsKeyArns[index] && { kmsKeyArn: config.keyReplicaKmsKeyArns[index] }),
      })),
      intervalHours: config.keyIntervalHours,
      scheduleEnabled: config.role === "primary" || config.standbySchedules === "enabled",
      ...(sending && { mail: { ...sending, central: config.mailTo } }),
      ...(vpc && { vpc }),
      logRetentionDays: config.logRetentionDays,
      deletionProtection: config.deletionProtection,
    },
    opts,
  );
}

/** The role that the rotator of both cells assumes in each member account; none with keyRotation off. */
export function keyRotationRoles(cell: CellArgs, config: StackConfig): RoleRequest[] {
  if (config.keyRotation === "off") return [];
  return keyRotatorRoleRequests({
    cell,
    peer: { name: config.peerName, region: config.peerRegion },
    mode: config.keyRotation,
    externalId: config.keyRotationExternalId,
    storage: config.keyStorage,
    secretsRegions: [config.region, config.peerRegion, ...config.keyReplicaRegions],
  });
}

/** Region of the secrets: the primary's, whichever cell it is. */
function homeRegion({ role, region, peerRegion }: StackConfig): string {
  return role === "primary" ? region : peerRegion;
}

/**
 * Which accounts are looked after. Without a choice they are those that get the role, since an account without it would count as failed. The
 * management account gets none (stack sets do not reach it), and is left out unless it is named.
 */
function rotatedAccounts(config: StackConfig) {
  const { keyAccountIds, keyOrganizationalUnitIds, memberAccess, managementAccountId } = config;
  const chosen = keyAccountIds.length + keyOrganizationalUnitIds.length > 0;
  return {
    accountIds: !chosen && memberAccess === "providers" ? config.memberAccountIds : keyAccountIds,
    organizationalUnitIds:
      !chosen && memberAccess === "stackSet" ? config.memberOrganizationalUnitIds : keyOrganizationalUnitIds,
    excludedAccountIds: [
      ...new Set([
        ...config.keyExcludedAccountIds,
        ...(keyAccountIds.includes(managementAccountId) ? [] : [managementAccountId]),
      ]),
    ],
  };
}
