/**
 * How a platform team takes single components into a stack of its own: emergency access with its alarms, and nothing else.
 * Outside this repository the import is from "@bulkhead/bulkhead".
 */
import * as pulumi from "@pulumi/pulumi";
import { BreakGlassAccount, CellKey, Notification, RegionalProvider } from "../../components";

const config = new pulumi.Config();
const cell = {
  name: pulumi.getStack(),
  region: config.require("region"),
  accountId: config.require("accountId"),
};
const custodians = config.requireObject<string[]>("custodians");
const pgpPublicKeys = config.requireObject<string[]>("pgpPublicKeys");

const provider = new RegionalProvider("cell", { cell });
const key = new CellKey("key", { cell }, { provider });
const alerts = new Notification(
  "alerts",
  {
    cell,
    topicName: "emergency-access-alerts",
    kmsKeyArn: key.keyArn,
    emails: [config.require("alertEmail")],
  },
  { provider },
);
const breakGlass = new BreakGlassAccount(
  "break-glass",
  {
    cell,
    users: custodians.map((custodian, index) => ({
      userName: `breakglass-admin-${index + 1}`,
      custodian,
      pgpPublicKey: pgpPublicKeys[index] ?? "",
    })),
    alertTopicArn: alerts.topicArn,
    kmsKeyArn: key.keyArn,
  },
  { provider },
);

export const encryptedPasswords = breakGlass.encryptedPasswords;
