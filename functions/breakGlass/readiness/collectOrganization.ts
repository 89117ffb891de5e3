/** Observes what the organization puts on the users' account. */
import {
  DescribeOrganizationCommand,
  DescribePolicyCommand,
  type OrganizationsClient,
  paginateListParents,
  paginateListPoliciesForTarget,
} from "@aws-sdk/client-organizations";
import type { ObservedControlPolicy, OrganizationLevel, OrganizationObservation } from "./observations";
import { isUnreadable, type Observed, observed, unreadable } from "./observed";
import type { Source } from "./source";

/** Ways to ask Organizations. */
export interface OrganizationPorts {
  /** With whatever credentials there are: any member may ask which organization it is in. */
  own: OrganizationsClient;
  /**
   * Ways to read the whole organization, tried one after the other.
   * @throws when the role cannot be assumed
   */
  readers: (() => Promise<OrganizationsClient>)[];
}

const SCP = "SERVICE_CONTROL_POLICY";

/** Observes the account's place in the organization and the policies on every level above it. */
export async function collectOrganization(
  ports: OrganizationPorts,
  source: Source,
  accountId: string,
): Promise<Observed<OrganizationObservation>> {
  const organization = await source.observe(
    "organizations:DescribeOrganization",
    async (abortSignal) => {
      const { Organization } = await ports.own.send(new DescribeOrganizationCommand({}), { abortSignal });
      return Organization!.MasterAccountId!;
    },
    ["AWSOrganizationsNotInUseException"],
  );
  if (isUnreadable(organization)) return organization;
  if (organization.value === null) return observed({ membership: "none" });
  if (organization.value === accountId) return observed({ membership: "management" });
  const reader = await firstReader(ports, source);
  if (isUnreadable(reader)) return reader;
  return levelsAbove(reader.value, source, accountId);
}

/** The first way that works; without any, the credentials that there are. */
async function firstReader(
  { own, readers }: OrganizationPorts,
  source: Source,
): Promise<Observed<OrganizationsClient>> {
  if (readers.length === 0) return observed(own);
  const reasons: string[] = [];
  for (const reader of readers) {
    const client = await source.read("sts:AssumeRole of a role that reads the organization", () => reader());
    if (!isUnreadable(client)) return client;
    reasons.push(client.unreadable);
  }
  return unreadable([...new Set(reasons)].join("; "));
}

async function levelsAbove(
  client: OrganizationsClient,
  source: Source,
  accountId: string,
): Promise<Observed<OrganizationObservation>> {
  const ids: string[] = [accountId];
  for (let child: string | undefined = accountId; child !== undefined; ) {
    const ChildId: string = child;
    const parent = await source.read("organizations:ListParents", async (abortSignal) => {
      for await (const { Parents = [] } of paginateListParents({ client }, { ChildId }, { abortSignal })) {
        if (Parents[0]) return { id: Parents[0].Id!, root: Parents[0].Type === "ROOT" };
      }
      throw new Error("no parent");
    });
    if (isUnreadable(parent)) return parent;
    ids.push(parent.value.id);
    child = parent.value.root ? undefined : parent.value.id;
  }
  const documents = new Map<string, Promise<Observed<string>>>();
  const levels = await Promise.all(ids.map((id) => levelOf(client, source, id, documents)));
  const reasons = levels.filter(isUnreadable).map((level) => level.unreadable);
  if (reasons.length > 0) return unreadable([...new Set(reasons)].join("; "));
  const read = levels.map((level) => (level as { value: OrganizationLevel | null }).value);
  return observed({
    membership: "member",
    enforced: read.every((level) => level !== null),
    levels: read.filter((level) => level !== null),
  });
}

/** One level's policies; `null` where the organization does not use them. */
async function levelOf(
  client: OrganizationsClient,
  source: Source,
  TargetId: string,
  documents: Map<string, Promise<Observed<string>>>,
): Promise<Observed<OrganizationLevel | null>> {
  const attached = await source.observe(
    "organizations:ListPoliciesForTarget",
    async (abortSignal) => {
      const found: { id: string; name: string }[] = [];
      for await (const { Policies = [] } of paginateListPoliciesForTarget(
        { client },
        { TargetId, Filter: SCP },
        { abortSignal },
      )) {
        found.push(...Policies.map(({ Id, Name }) => ({ id: Id!, name: Name! })));
      }
      return found;
    },
    ["PolicyTypeNotEnabledException"],
  );
  if (isUnreadable(attached)) return attached;
  if (attached.value === null) return observed(null);
  const policies: ObservedControlPolicy[] = [];
  for (const { id, name } of attached.value) {
    // One policy is often attached to several levels.
    const reading = documents.get(id) ?? readDocument(client, source, id);
    documents.set(id, reading);
    const document = await reading;
    if (isUnreadable(document)) return document;
    policies.push({ id, name, document: document.value });
  }
  return observed({ id: TargetId, policies });
}

function readDocument(
  client: OrganizationsClient,
  source: Source,
  PolicyId: string,
): Promise<Observed<string>> {
  return source.read("organizations:DescribePolicy", async (abortSignal) => {
    const { Policy } = await client.send(new DescribePolicyCommand({ PolicyId }), { abortSignal });
    return Policy!.Content!;
  });
}
