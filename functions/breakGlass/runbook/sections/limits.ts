import { hasSecurityKeys, type Partition } from "../../../../components/regional/partition";
import type { RunbookFacts } from "../facts";
import { code, Markdown, markdown, table } from "../markdown";

/** What works and what does not while IAM's control plane is lost, and what is particular to the partition. */
export function limits(facts: RunbookFacts): Markdown {
  const { iamRegion, organizationsRegion, input } = facts;
  return markdown`## What will not work

While ${code(iamRegion)} is lost, the control plane of IAM is lost with it${organizationsRegion === iamRegion ? ", and that of Organizations" : ""}. Existing users, roles and policies still work in all other regions; nobody can change them.

${table(
  ["Works", "Does not work", "Instead"],
  [
    [
      "Signing in at a regional address, with password and TOTP code",
      "The address without a region, an account alias, the usual sign-in page",
      "The addresses below",
    ],
    ...(hasSecurityKeys(input.partition)
      ? [
          [
            "A TOTP code",
            "A security key (FIDO) may not complete",
            "TOTP; every emergency user has a TOTP device",
          ],
        ]
      : []),
    [
      "The access that is attached already",
      "Creating or changing users, roles, policies, passwords, devices",
      "Work with what is there; it was attached beforehand",
    ],
    [
      "Regional STS: AssumeRole, credentials for CloudShell and the CLI",
      markdown`The global STS endpoint, ${code("sts.amazonaws.com")}`,
      "The region's own endpoint: set the region, and use a current CLI or SDK",
    ],
    [
      "Reading and writing data in other regions",
      markdown`Creating or deleting buckets, most settings of buckets, in any region; Route 53, CloudFront, ACM and WAF for CloudFront`,
      "What exists already",
    ],
    [
      "Functions, queues, tables that exist",
      "Creating load balancers, API Gateway APIs, interface endpoints, Lambda function URLs",
      "What exists already: the other cell has its own",
    ],
    [
      "Reading secrets, replicas too",
      "Rotating access keys: it pauses and loses nothing",
      "Wait; it goes on by itself",
    ],
    [
      "The service control policies that are in force",
      markdown`Changing them, or accounts (control plane in ${code(organizationsRegion)})`,
      "The emergency users are exempt already",
    ],
    [
      "Alerts of the other region",
      "Changing the password afterwards",
      "Do it as soon as IAM answers again: it stays due until then",
    ],
  ],
)}

${partitionNotes(input.partition, facts)}
`;
}

function partitionNotes(partition: Partition, { iamRegion, organizationsRegion }: RunbookFacts): Markdown {
  switch (partition) {
    case "aws":
      return new Markdown(
        "This account is in the partition `aws`. China and GovCloud have accounts, users and addresses of their own: this runbook is not for them.",
      );
    case "aws-cn":
      return markdown`This account is in China (${code("aws-cn")}), where some things are different:

- MFA is by TOTP only. There are no security keys.
- IAM's control plane is in ${code(iamRegion)}, that of Organizations in ${code(organizationsRegion)}: one may be lost while the other works.
- There is no global STS endpoint, and no account of another partition can sign in here.
- There is no SES: mails come from SNS, or by SMTP.`;
    case "aws-us-gov":
      return markdown`This account is in GovCloud (${code("aws-us-gov")}), where some things are different:

- The control planes of IAM and of Organizations are in ${code(iamRegion)}.
- There is no global STS endpoint. The plain regional STS endpoint is the FIPS one.
- Sign-in is at ${code("signin.amazonaws-us-gov.com")}; an account of the commercial partition cannot sign in here.`;
  }
}
