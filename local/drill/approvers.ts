/** The people of the drill's approvals: an operator of a member account, and two groups that decide. */
import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { arn, partitionOf } from "../../components/regional/partition";
import { type AccessKey, MEMBERS, SECURITY_ACCOUNT } from "../aws/organization";

/** Where the document of people, groups and rules is, in each cell's region. */
export const DIRECTORY_PARAMETER = "/bulkhead/approval/directory";

/** The account in which the operator works. */
export const OPERATORS_ACCOUNT = MEMBERS.find(({ name }) => name === "shop")!.id;

/** The operator may look at what there is, and delete nothing. */
export const OPERATOR = { userName: "olivia", mail: "olivia@example.com" };
/** Who decides on the first level, and who on the second. */
export const LEAD = { mail: "lead@example.com" };
export const OWNER = { mail: "owner@example.com" };
/** Works from the command line, as the deployer of the stacks. */
export const ENGINEER = { mail: "engineer@example.com" };

/** Writes the document into both regions, as docs/approval-operation.md has a team do it. */
export async function writeDirectory(
  endpoint: string,
  credentials: AccessKey,
  regions: readonly string[],
  deployerName: string,
): Promise<void> {
  for (const region of regions) {
    const ssm = new SSMClient({ endpoint, region, credentials });
    await ssm.send(
      new PutParameterCommand({
        Name: DIRECTORY_PARAMETER,
        Type: "SecureString",
        Value: JSON.stringify(directory(partitionOf(region), deployerName)),
      }),
    );
    ssm.destroy();
  }
}

function directory(partition: ReturnType<typeof partitionOf>, deployerName: string) {
  const user = (account: string, name: string) =>
    arn({ partition, service: "iam", account, resource: `user/${name}` });
  const level = (group: string) => ({ group, quorum: 1, timeoutSeconds: 3_600 });
  return {
    version: 1,
    people: [
      {
        id: "olivia",
        name: "Olivia",
        mail: OPERATOR.mail,
        identities: [user(OPERATORS_ACCOUNT, OPERATOR.userName)],
      },
      {
        id: "erik",
        name: "Erik",
        mail: ENGINEER.mail,
        identities: [user(SECURITY_ACCOUNT, deployerName)],
      },
      { id: "lena", name: "Lena", mail: LEAD.mail, groups: ["team-leads"] },
      { id: "omar", name: "Omar", mail: OWNER.mail, groups: ["service-owners"] },
    ],
    rules: [
      {
        name: "everything",
        thresholds: [
          { atLeast: 0, name: "lead and owner", levels: [level("team-leads"), level("service-owners")] },
        ],
      },
    ],
  };
}
