import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { reportsBucketName, STEWARD } from "../../../components/breakGlassAccount/readinessNames";
import { regionalName } from "../../../components/regional/cell";
import { stsEndpointUrl } from "../../../components/regional/partition";
import { clientSettings } from "../../shared/clients/clientSettings";
import { createLog } from "../../shared/logging/logger";
import { createCount } from "../../shared/logging/metrics";
import { awsReadinessPorts } from "../readiness/awsPorts";
import { collect } from "../readiness/collect";
import { cellsOf, readinessPolicy } from "../readiness/config";
import { runSteward } from "./run";
import { readStewardSettings } from "./settings";

/** How long one call may take: the function has time, and IAM takes some seconds for its credential report. */
const DEADLINE_MILLISECONDS = 12_000;

const { cell: name, config } = readStewardSettings(process.env);
const cells = cellsOf(config);
const own = cells.find((cell) => cell.name === name)!;
const policy = readinessPolicy(config, name);
const s3 = new S3Client(clientSettings());
const ports = awsReadinessPorts({
  cells: [own, ...cells.filter((cell) => cell !== own)],
  organizationRoleArns: config.organizationRoleArns,
  // The environment pins STS to the own region; here each region's own endpoint is what is looked at.
  stsEndpoint: (region) => stsEndpointUrl(region, own.stsEndpoint),
  limits: { deadlineMilliseconds: DEADLINE_MILLISECONDS },
});

/** Checks every day that emergency access would work. Started by a schedule; its event says nothing. */
export const handler = () =>
  runSteward({
    policy,
    checkedBy: `${regionalName(own, STEWARD)} in ${own.name} (${own.region})`,
    collect: () => collect(ports, policy),
    async keep({ key, contentType, body }) {
      await s3.send(
        new PutObjectCommand({
          Bucket: reportsBucketName(own),
          Key: key,
          Body: body,
          ContentType: contentType,
        }),
      );
    },
    now: () => new Date(),
    log: createLog(),
    count: createCount(),
  });
