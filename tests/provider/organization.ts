/** A small organization at the local AWS, as StackSets with organizational units need it. */
import { CloudFormation } from "@aws-sdk/client-cloudformation";
import { Organizations } from "@aws-sdk/client-organizations";
import { MANAGEMENT_ACCOUNT } from "./support";

/** Makes an organization with one member account in one organizational unit, and returns that unit's id. */
export async function makeOrganization(url: string): Promise<string> {
  const credentials = { accessKeyId: MANAGEMENT_ACCOUNT, secretAccessKey: "test" };
  const organizations = new Organizations({ endpoint: url, region: "us-east-1", credentials });
  await organizations.createOrganization({ FeatureSet: "ALL" });
  const { Roots } = await organizations.listRoots({});
  const ParentId = Roots![0]!.Id!;
  const { OrganizationalUnit } = await organizations.createOrganizationalUnit({
    ParentId,
    Name: "Workloads",
  });
  const { CreateAccountStatus } = await organizations.createAccount({
    AccountName: "member",
    Email: "member@example.com",
  });
  await organizations.moveAccount({
    AccountId: CreateAccountStatus!.AccountId,
    SourceParentId: ParentId,
    DestinationParentId: OrganizationalUnit!.Id,
  });
  const cloudformation = new CloudFormation({ endpoint: url, region: "us-east-1", credentials });
  await cloudformation.activateOrganizationsAccess({});
  return OrganizationalUnit!.Id!;
}
