/** Sets up the organization that local mode works in, through the APIs that one would use in AWS. */
import {
  AttachRolePolicyCommand,
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  IAMClient,
  type IAMClientConfig,
  PutUserPolicyCommand,
  UpdateAssumeRolePolicyCommand,
} from "@aws-sdk/client-iam";
import {
  CreateAccountCommand,
  CreateOrganizationalUnitCommand,
  CreateOrganizationCommand,
  EnableAWSServiceAccessCommand,
  EnablePolicyTypeCommand,
  ListRootsCommand,
  MoveAccountCommand,
  OrganizationsClient,
  RegisterDelegatedAdministratorCommand,
} from "@aws-sdk/client-organizations";
import {
  arn,
  awsManagedPolicyArn,
  organizationsControlPlaneRegion,
  type Partition,
} from "../../components/regional/partition";

/** Ids of the accounts. */
export const MANAGEMENT_ACCOUNT = "111111111111";
/** Where the stacks are deployed; delegated administrator of stack sets. */
export const SECURITY_ACCOUNT = "222222222222";
/** The members and the organizational unit that each is in. */
export const MEMBERS: readonly { id: string; name: string; unit: UnitName }[] = [
  { id: "333333333333", name: "shop", unit: "Workloads" },
  { id: "444444444444", name: "billing", unit: "Workloads" },
  { id: "555555555555", name: "playground", unit: "Sandbox" },
];

export type UnitName = "Security" | "Workloads" | "Sandbox";

/** The role that Organizations makes in each account that it creates. */
export const ACCESS_ROLE = "OrganizationAccountAccessRole";

/** The only partition that the emulator knows. */
const PARTITION: Partition = "aws";
/** The user that deploys the stacks. */
export const DEPLOYER = "bulkhead-deployer";
const STACK_SETS = "member.org.stacksets.cloudformation.amazonaws.com";

/** Long-term credentials. */
export interface AccessKey {
  accessKeyId: string;
  secretAccessKey: string;
}

/** The organization that was made. */
export interface LocalOrganization {
  organizationId: string;
  rootId: string;
  unitIds: Record<UnitName, string>;
  managementAccountId: string;
  securityAccountId: string;
  memberAccountIds: readonly string[];
  /**
   * An administrator of the security account, who may also assume {@link ACCESS_ROLE} in the management account and in every
   * member.
   */
  deployer: AccessKey;
}

/**
 * Makes the organization: management, security (in OU Security), and the members in their OUs, with service control policies
 * enabled and the security account as delegated administrator of stack sets.
 * @param aws the running local AWS, or any endpoint of it.
 * @example
 * const organization = await createOrganization(aws);
 */
export async function createOrganization(aws: { url: string }): Promise<LocalOrganization> {
  const region = organizationsControlPlaneRegion(PARTITION);
  const rootOf = (accountId: string) => ({
    endpoint: aws.url,
    region,
    // In the emulator a 12-digit key is the root of that account.
    credentials: { accessKeyId: accountId, secretAccessKey: "test" },
  });
  const organizations = new OrganizationsClient(rootOf(MANAGEMENT_ACCOUNT));
  const management = new IAMClient(rootOf(MANAGEMENT_ACCOUNT));
  const security = new IAMClient(rootOf(SECURITY_ACCOUNT));
  try {
    const { Organization } = await organizations.send(new CreateOrganizationCommand({ FeatureSet: "ALL" }));
    const { Roots } = await organizations.send(new ListRootsCommand({}));
    const rootId = Roots![0]!.Id!;
    await organizations.send(
      new EnablePolicyTypeCommand({ RootId: rootId, PolicyType: "SERVICE_CONTROL_POLICY" }),
    );
    const unitIds = {} as Record<UnitName, string>;
    for (const Name of ["Security", "Workloads", "Sandbox"] as const) {
      const made = await organizations.send(new CreateOrganizationalUnitCommand({ ParentId: rootId, Name }));
      unitIds[Name] = made.OrganizationalUnit!.Id!;
    }
    const accounts = [{ id: SECURITY_ACCOUNT, name: "security", unit: "Security" as UnitName }, ...MEMBERS];
    for (const account of accounts) {
      await createAccount(organizations, account.id, account.name);
      await organizations.send(
        new MoveAccountCommand({
          AccountId: account.id,
          SourceParentId: rootId,
          DestinationParentId: unitIds[account.unit],
        }),
      );
    }
    await organizations.send(new EnableAWSServiceAccessCommand({ ServicePrincipal: STACK_SETS }));
    await organizations.send(
      new RegisterDelegatedAdministratorCommand({
        AccountId: SECURITY_ACCOUNT,
        ServicePrincipal: STACK_SETS,
      }),
    );

    const deployer = await createDeployer(security);
    await letDeployerIn(management, rootOf);
    return {
      organizationId: Organization!.Id!,
      rootId,
      unitIds,
      managementAccountId: MANAGEMENT_ACCOUNT,
      securityAccountId: SECURITY_ACCOUNT,
      memberAccountIds: MEMBERS.map((member) => member.id),
      deployer,
    };
  } finally {
    for (const client of [organizations, management, security]) client.destroy();
  }
}

async function createAccount(organizations: OrganizationsClient, id: string, name: string): Promise<void> {
  const { CreateAccountStatus } = await organizations.send(
    new CreateAccountCommand({
      AccountName: name,
      Email: `${name}@example.com`,
      // Only the emulator knows this tag; AWS draws account ids.
      Tags: [{ Key: "bulkhead:account-id", Value: id }],
    }),
  );
  if (CreateAccountStatus?.State !== "SUCCEEDED") {
    throw new Error(`Account ${name} was not created: ${CreateAccountStatus?.FailureReason}`);
  }
}

async function createDeployer(security: IAMClient): Promise<AccessKey> {
  await security.send(new CreateUserCommand({ UserName: DEPLOYER }));
  await security.send(
    new AttachUserPolicyCommand({
      UserName: DEPLOYER,
      PolicyArn: awsManagedPolicyArn(PARTITION, "AdministratorAccess"),
    }),
  );
  const roles = [MANAGEMENT_ACCOUNT, ...MEMBERS.map((member) => member.id)].map((account) =>
    accessRole(account),
  );
  await security.send(
    new PutUserPolicyCommand({
      UserName: DEPLOYER,
      PolicyName: "assume-access-roles",
      PolicyDocument: JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Resource: roles }],
      }),
    }),
  );
  const { AccessKey } = await security.send(new CreateAccessKeyCommand({ UserName: DEPLOYER }));
  return { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! };
}

function accessRole(account: string): string {
  return arn({ partition: PARTITION, service: "iam", account, resource: `role/${ACCESS_ROLE}` });
}

/** Adds the security account to those whom the access roles trust, and makes the management account's own access role. */
async function letDeployerIn(
  management: IAMClient,
  rootOf: (accountId: string) => IAMClientConfig,
): Promise<void> {
  const trust = JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: {
          AWS: [MANAGEMENT_ACCOUNT, SECURITY_ACCOUNT].map((account) =>
            arn({ partition: PARTITION, service: "iam", account, resource: "root" }),
          ),
        },
        Action: "sts:AssumeRole",
      },
    ],
  });
  await management.send(new CreateRoleCommand({ RoleName: ACCESS_ROLE, AssumeRolePolicyDocument: trust }));
  await management.send(
    new AttachRolePolicyCommand({
      RoleName: ACCESS_ROLE,
      PolicyArn: awsManagedPolicyArn(PARTITION, "AdministratorAccess"),
    }),
  );
  for (const { id } of MEMBERS) {
    const member = new IAMClient(rootOf(id));
    await member.send(new UpdateAssumeRolePolicyCommand({ RoleName: ACCESS_ROLE, PolicyDocument: trust }));
    member.destroy();
  }
}
