/** Whether the cells check each other, and their regions give credentials. */
import { command } from "../command";
import { either, fail, judged, pass, type Requirement } from "../requirement";

const HOUR = 3600 * 1000;

export const REGION_REQUIREMENTS: readonly Requirement[] = [
  {
    id: "steward-ran",
    group: "regions",
    text: "The cell's steward wrote its report within the last day: each cell checks that the other still checks.",
    source: "seed",
    how: "s3:ListBucket of the cell's reports",
    per: "steward",
    judge: ({ observations, policy, now }) =>
      policy.stewards.map(({ cell, region, functionName }) => ({
        subject: `${cell}: ${functionName}`,
        mend: command(
          "aws",
          "lambda",
          "invoke",
          "--function-name",
          functionName,
          "--region",
          region,
          "/dev/stdout",
        ),
        judgement: judged(observations.stewards[cell]!, (ranAt) => {
          if (ranAt === null) return fail("It has never run.");
          const hours = Math.floor((now.getTime() - Date.parse(ranAt)) / HOUR);
          return either(hours < policy.stewardMaxAgeHours, `It ran ${hours} hours ago.`);
        }),
      })),
  },
  {
    id: "sts-endpoint",
    group: "regions",
    text: "The region's own STS endpoint answers: it can be switched off, and then nobody gets credentials there.",
    source: "fact 4",
    how: "sts:GetCallerIdentity at the region's own endpoint",
    per: "region",
    judge: ({ observations, policy }) =>
      policy.stsRegions.map((region) => ({
        subject: region,
        mend: `Switch STS on for ${region}: IAM console, Account settings, Security Token Service.`,
        judgement: judged(observations.sts[region]!, (answer) =>
          "switchedOff" in answer ? fail("STS is switched off in this region.") : pass("It answers."),
        ),
      })),
  },
];
