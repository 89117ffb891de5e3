/** Observes everything: one failing service, region or cell makes only what it alone can tell unreadable. */
import type { IAMClient } from "@aws-sdk/client-iam";
import { type EvidenceStore, EvidenceUnavailable } from "../records/store";
import {
  collectCell,
  type ObservedRegion,
  observeSteward,
  observeSts,
  type RegionalClients,
  type RegionalSources,
} from "./collectCell";
import { collectOrganization, type OrganizationPorts } from "./collectOrganization";
import { collectAccount, collectUser } from "./collectUsers";
import type { EvidenceObservation, Observations } from "./observations";
import { type Observed, observed, unreadable } from "./observed";
import type { ReadinessPolicy } from "./policy";
import { Source, type SourceLimits } from "./source";

/** What observing needs. */
export interface ReadinessPorts {
  iam: IAMClient;
  organization: OrganizationPorts;
  /** Clients of a region. Asked once for each region. */
  regional(region: string): RegionalClients;
  /** A cell's records. */
  evidence(cell: string): EvidenceStore;
  /** @default as {@link SourceLimits} says */
  limits?: SourceLimits;
}

const SERVICE_NAMES: Record<keyof RegionalClients, string> = {
  cloudTrail: "CloudTrail",
  cloudWatch: "CloudWatch",
  events: "EventBridge",
  logs: "CloudWatch Logs",
  s3: "S3",
  sns: "SNS",
  sqs: "SQS",
  sts: "STS",
};

/** Observes what the policy names. Never throws for what AWS does or leaves undone. */
export async function collect(ports: ReadinessPorts, policy: ReadinessPolicy): Promise<Observations> {
  const { iam, limits } = ports;
  const region = regions(ports);
  const source = new Source("IAM", limits);
  const [account, organization, users, evidence, stewards, sts, cells] = await Promise.all([
    collectAccount(iam, source, policy),
    collectOrganization(ports.organization, new Source("AWS Organizations", limits), policy.accountId),
    record(policy.userNames, (userName) => collectUser(iam, source, policy, userName)),
    record(policy.evidenceCells, (cell) => collectEvidence(ports.evidence(cell), cell)),
    record(
      policy.stewards.map(({ cell }) => cell),
      (_, index) => observeSteward(region(policy.stewards[index]!.region), policy.stewards[index]!),
    ),
    record(policy.stsRegions, (name) => observeSts(region(name))),
    record(
      policy.cells.map(({ name }) => name),
      (_, index) => collectCell(policy.cells[index]!, region),
    ),
  ]);
  return { account: { ...account, organization }, users, evidence, stewards, sts, cells };
}

/** Each region's clients and sources, made when first needed. */
function regions({ regional, limits }: ReadinessPorts): (name: string) => ObservedRegion {
  const known = new Map<string, ObservedRegion>();
  return (name) => {
    const region = known.get(name) ?? {
      clients: regional(name),
      sources: Object.fromEntries(
        Object.entries(SERVICE_NAMES).map(([key, service]) => [
          key,
          new Source(`${service} in ${name}`, limits),
        ]),
      ) as RegionalSources,
    };
    known.set(name, region);
    return region;
  };
}

async function record<Value>(
  names: readonly string[],
  observe: (name: string, index: number) => Promise<Value>,
): Promise<Record<string, Value>> {
  return Object.fromEntries(
    await Promise.all(names.map(async (name, index) => [name, await observe(name, index)] as const)),
  );
}

/** A cell's records; nobody needs the encrypted passwords here, so they are dropped at once. */
async function collectEvidence(store: EvidenceStore, cell: string): Promise<Observed<EvidenceObservation>> {
  try {
    const [passwordIssued, deviceEnrolled, deviceRemoved, custodianLeft, useOpened, drillHeld] =
      await Promise.all([
        store.list("passwordIssued"),
        store.list("deviceEnrolled"),
        store.list("deviceRemoved"),
        store.list("custodianLeft"),
        store.list("useOpened"),
        store.list("drillHeld"),
      ]);
    return observed({
      passwordIssued: passwordIssued.map((issued) => ({ ...issued, ciphertext: "" })),
      deviceEnrolled,
      deviceRemoved,
      custodianLeft,
      useOpened,
      drillHeld,
    });
  } catch (error) {
    // Its message is this project's own.
    if (error instanceof EvidenceUnavailable) return unreadable(`records of cell ${cell}: ${error.message}`);
    throw error;
  }
}
