import { SESv2Client } from "@aws-sdk/client-sesv2";
import { SSMClient } from "@aws-sdk/client-ssm";
import { clientSettings } from "../shared/clients/clientSettings";
import { createLog } from "../shared/logging/logger";
import { createCount } from "../shared/logging/metrics";
import { SsmParameterReader } from "../shared/parameters/parameterReader";
import { createChannel, readChannelSettings } from "./channel";
import { createNotifier } from "./notify";

/** Delivers the messages of an SNS topic to one channel: mail (SES or SMTP) or a chat (Slack or Teams). */
export const handler = createNotifier({
  channel: createChannel(readChannelSettings(process.env), {
    ses: new SESv2Client(clientSettings()),
    parameters: new SsmParameterReader(new SSMClient(clientSettings())),
  }),
  log: createLog(),
  count: createCount(),
});
