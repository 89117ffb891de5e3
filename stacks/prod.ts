import type * as pulumi from "@pulumi/pulumi";
import { peerOf } from "../components/activation/peer";
import { BreakGlassAccount } from "../components/breakGlassAccount/breakGlassAccount";
import { monitorForwardingRequests } from "../components/breakGlassAccount/breakGlassMonitor";
import { DEFAULT_EMERGENCY_PATH } from "../components/breakGlassAccount/emergencyUsers";
import { forwardingRegions } from "../components/breakGlassAccount/forwardingRegions";
import { SignInForwarding } from "../components/breakGlassAccount/signInForwarding";
import { KEY_ROTATOR_FUNCTIONS } from "../components/keyRotator/names";
import { functionRoleArn } from "../components/lambda/functionNames";
import { ManagementAccess } from "../components/memberAccess/managementAccess";
import {
  MemberAccess,
  type MemberProvider,
  type MemberRequestsArgs,
  memberAccessByProviders,
} from "../components/memberAccess/memberAccess";
import { normalizeCell } from "../components/regional/cell";
import {
  arn,
  iamControlPlaneRegion,
  organizationsControlPlaneRegion,
} from "../components/regional/partition";
import { RegionalProvider } from "../components/regional/regionalProvider";
import { approvalMemberRequests, ORGANIZATION_READERS } from "./approval";
import { type ComposedCell, cellOutputs, composeCell, emergencyUsers, tagsOf } from "./cell";
import type { StackConfig } from "./config";
import { keyRotationRoles } from "./keys";

/** The primary cell: besides what every cell has, it owns what is global and what other accounts need. */
export function deployPrimary(stack: string, config: StackConfig) {
  const composed = composeCell(stack, config);
  const { cell, provider, key, alerts, hub, tracking } = composed;
  const breakGlass = new BreakGlassAccount(
    "break-glass",
    {
      cell,
      users: emergencyUsers(config),
      alertTopicArn: alerts.topicArn,
      hubBusName: hub?.busName,
      kmsKeyArn: key.keyArn,
      ...(config.accountPasswordPolicy && {
        passwordPolicy: {
          minimumLength: config.passwordMinimumLength,
          maxAgeDays: config.passwordMaxAgeDays,
        },
      }),
      tracking,
    },
    { provider },
  );
  const peer = { name: config.peerName, region: config.peerRegion };
  for (const region of forwardingRegions(config.partition, config.signInRegions, [
    config.region,
    config.peerRegion,
  ])) {
    new SignInForwarding(
      `signin-${region}`,
      { cell, peer, region, userNames: config.emergencyUsers, toHubs: hub !== undefined },
      {
        provider: new RegionalProvider(`signin-${region}`, { cell, region, tags: tagsOf(config) }),
        // Event rules may name a hub as target only once it lets the account send.
        dependsOn: hub ? [hub] : [],
      },
    );
  }
  return {
    ...cellOutputs(composed, config),
    emergencyUserArns: breakGlass.userArns,
    encryptedPasswords: breakGlass.encryptedPasswords,
    memberAccessStackSet: config.memberAccess === "none" ? undefined : composeOtherAccounts(composed, config),
  };
}

/** What member accounts and the management account get. Returns the stack set's name, if there is one. */
function composeOtherAccounts(
  composed: ComposedCell,
  config: StackConfig,
): pulumi.Output<string> | undefined {
  const { cell, provider, hub } = composed;
  const peer = { name: config.peerName, region: config.peerRegion };
  const { partition } = config;
  const tags = tagsOf(config);
  const roleIn = (account: string, name: string) =>
    arn({ partition, service: "iam", account, resource: `role/${name}` });

  const own = normalizeCell(cell);
  new ManagementAccess(
    "management",
    {
      cell,
      peer,
      managementAccountId: config.managementAccountId,
      // The functions that read the organization, in each cell.
      trustedRoleArns: [own, peerOf(own, peer)].flatMap((each) => [
        functionRoleArn(each, "breakglass-steward"),
        ...(config.keyRotation === "off" ? [] : [functionRoleArn(each, KEY_ROTATOR_FUNCTIONS.inventory)]),
        ...(config.approval === "off" ? [] : ORGANIZATION_READERS.map((name) => functionRoleArn(each, name))),
      ]),
    },
    {
      provider: new RegionalProvider("management", {
        cell,
        region: organizationsControlPlaneRegion(partition),
        accountId: config.managementAccountId,
        assumeRoleArn: roleIn(config.managementAccountId, config.managementRoleName),
        tags,
      }),
      // Event rules may name a hub as target only once it lets the organization send.
      dependsOn: hub ? [hub] : [],
    },
  );

  const users = {
    userNames: config.emergencyUsers,
    path: DEFAULT_EMERGENCY_PATH,
    accountId: config.accountId,
  };
  const approval = approvalMemberRequests(cell, config);
  const requests: MemberRequestsArgs = {
    cell,
    peer,
    memberRegions: config.memberRegions.length
      ? config.memberRegions
      : [...new Set([config.region, config.peerRegion, iamControlPlaneRegion(partition)])],
    eventForwarding: [...monitorForwardingRequests(own, users), ...approval.eventForwarding],
    roles: [...keyRotationRoles(cell, config), ...approval.roles],
    policies: approval.policies,
  };
  requests.homeRegion = requests.memberRegions!.includes(config.region)
    ? config.region
    : requests.memberRegions![0]!;
  const opts = { provider, dependsOn: hub ? [hub] : [] };
  if (config.memberAccess === "stackSet") {
    const organizationalUnitIds = config.memberOrganizationalUnitIds;
    return new MemberAccess("members", { ...requests, organizationalUnitIds }, opts).stackSetName;
  }
  const members: MemberProvider[] = config.memberAccountIds.flatMap((accountId) =>
    requests.memberRegions!.map((region) => ({
      accountId,
      region,
      provider: new RegionalProvider(`member-${accountId}-${region}`, {
        cell,
        region,
        accountId,
        assumeRoleArn: roleIn(accountId, config.memberRoleName),
        tags,
      }),
    })),
  );
  memberAccessByProviders("members", requests, members, opts);
  return undefined;
}
