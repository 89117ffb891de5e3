import * as z from "zod";
import { DEFAULT_EMERGENCY_PATH } from "../../../components/breakGlassAccount/emergencyUsers";
import { forwardingRegions } from "../../../components/breakGlassAccount/forwardingRegions";
import { organizationReaderRoleArn } from "../../../components/memberAccess/organizationReader";
import { normalizeCell, regionalName } from "../../../components/regional/cell";
import { arn } from "../../../components/regional/partition";
import type { ReadinessConfig } from "../../../functions/breakGlass/readiness/config";
import { CliError, EXIT_CODES } from "../../exitCodes";
import { stackValues } from "../../stackConfig";

const names = z.array(z.string()).default([]);
const text = z.string().default("");

/** The keys of a stack's configuration that say what emergency access has to be like. */
const valuesSchema = z.object({
  role: z.enum(["primary", "standby"]),
  region: z.string(),
  peerName: z.string(),
  peerRegion: z.string(),
  accountId: z.string().regex(/^\d{12}$/, "an account id of 12 digits"),
  namePrefix: z.string().default("bulkhead"),
  stsEndpoint: z.string().default("regional"),
  emergencyUsers: z.array(z.string()).min(2, "at least 2 names"),
  mailTransport: z.string().default("none"),
  slackWebhookParameter: text,
  teamsWebhookParameter: text,
  organizationId: text,
  memberAccess: z.string().default("none"),
  managementAccountId: text,
  managementRoleName: text,
  signInRegions: names,
  passwordRotation: z.string().default("off"),
  passwordMaxAgeDays: z.number().default(90),
  passwordMinimumLength: z.number().default(32),
  accountPasswordPolicy: z.boolean().default(false),
  drillMaxAgeDays: z.number().default(90),
  toleratedScpStatements: names,
});

/**
 * What the stacks' files say that emergency access has to be like. Only files of the checkout are read, neither Pulumi's state nor AWS: on the
 * day, either may be out of reach.
 *
 * @param folder the folder of Pulumi.yaml
 * @param stack one of the two cells
 * @throws CliError naming the file and the keys that are wrong
 */
export function readReadinessConfig(folder: string, stack: string): ReadinessConfig {
  const parsed = valuesSchema.safeParse(stackValues(folder, stack));
  if (!parsed.success) {
    const wrong = parsed.error.issues
      .map((issue) => `bulkhead:${issue.path.join(".")}: ${issue.message}`)
      .join("; ");
    throw new CliError(EXIT_CODES.usage, `Pulumi.${stack}.yaml in ${folder}: ${wrong}.`);
  }
  const values = parsed.data;
  const own = { name: stack, region: values.region };
  const peer = { name: values.peerName, region: values.peerRegion };
  const cells = values.role === "primary" ? [own, peer] : [peer, own];
  const owner = normalizeCell({
    ...cells[0]!,
    accountId: values.accountId,
    namePrefix: values.namePrefix,
    stsEndpoint: values.stsEndpoint,
  });
  const channels = [
    values.mailTransport !== "none" && "mail",
    values.slackWebhookParameter !== "" && "slack",
    values.teamsWebhookParameter !== "" && "teams",
  ].filter((channel) => channel !== false);
  const { managementAccountId: account } = values;
  return {
    namePrefix: values.namePrefix,
    accountId: values.accountId,
    stsEndpoint: values.stsEndpoint,
    cells,
    userNames: values.emergencyUsers,
    path: DEFAULT_EMERGENCY_PATH,
    topicName: regionalName(owner, "breakglass-alerts"),
    channels,
    functions: values.passwordRotation === "off" ? [] : ["breakglass-rotation"],
    ...(values.organizationId && { hubBusName: regionalName(owner, "hub") }),
    signInRegions: forwardingRegions(
      owner.partition,
      values.signInRegions,
      cells.map(({ region }) => region),
    ),
    // An operator is let in as the deployment is, where not as the steward is.
    organizationRoleArns:
      values.memberAccess === "none" || account === ""
        ? []
        : [
            organizationReaderRoleArn(owner, account),
            ...(values.managementRoleName
              ? [
                  arn({
                    partition: owner.partition,
                    service: "iam",
                    account,
                    resource: `role/${values.managementRoleName}`,
                  }),
                ]
              : []),
          ],
    ...(values.accountPasswordPolicy && {
      passwordPolicy: {
        minimumLength: values.passwordMinimumLength,
        maximumAgeDays: values.passwordMaxAgeDays,
      },
    }),
    passwordMaxAgeDays: values.passwordMaxAgeDays,
    drillMaxAgeDays: values.drillMaxAgeDays,
    toleratedScpStatements: values.toleratedScpStatements,
  };
}
