/** Approval of dangerous operations: from a denied call to the call, in both regions; and a lost cell's request that is opened anew. */
import {
  CreateVolumeCommand,
  DescribeInstancesCommand,
  DescribeVolumesCommand,
  EC2Client,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  IAMClient,
  PutUserPolicyCommand,
} from "@aws-sdk/client-iam";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import * as z from "zod";
import { accountRolePathAndName } from "../../../components/approvalWorkflow/names";
import { normalizeCell } from "../../../components/regional/cell";
import { arn, partitionOf } from "../../../components/regional/partition";
import { auditEntrySchema } from "../../../functions/approval/audit/entry";
import { type Mail, readInbox } from "../../aws/inbox";
import type { AccessKey } from "../../aws/organization";
import { type LocalCell, PRIMARY, STANDBY } from "../../environment";
import { waitFor } from "../../waitFor";
import { ENGINEER, LEAD, OPERATOR, OPERATORS_ACCOUNT, OWNER } from "../approvers";
import { type DrillContext, NO_ANSWER_MS } from "../context";
import { rootSettings } from "../keyUsers";
import type { StepFindings } from "../runner";

/** Longest wait for a mail or for a call: seconds here, more where a lost region has to be waited for. */
const TIMEOUT_MS = 60_000;
/** A region in which no cell stands. */
const OTHER_REGION = "eu-west-1";

/** What a mail asks for. */
interface Ask {
  readonly link: string;
  readonly code: string;
  readonly mail: Mail;
}

const openedSchema = z.object({ opened: z.string() });
const listSchema = z.array(
  z.object({ cell: z.string(), request: z.object({ id: z.string(), state: z.string() }) }),
);

/** The drill's approvals, and what its steps hand on to one another. */
export class Approvals {
  private operator: AccessKey | undefined;
  /** What the next step is about. */
  private instance = "";
  private spent: Ask | undefined;
  /** Ids of mails that were answered, or read. */
  private readonly taken = new Set<string>();
  /** The volume that somebody asks to delete by hand, and that request in the cell that is lost. */
  private volume = "";
  private byHand = "";

  constructor(private readonly context: DrillContext) {}

  /** The secret half of the operator's key, to look for. */
  get secrets(): string[] {
    return this.operator ? [this.operator.secretAccessKey] : [];
  }

  /** An operator tries what she may not do. The denied call itself becomes the request, and nobody else is asked until she confirms. */
  async ask(cell: LocalCell): Promise<StepFindings> {
    this.operator ??= await this.createOperator();
    this.instance = await this.runInstance(cell.region);
    const at = Date.now();
    const message = await this.denied(cell.region);
    const asked = await this.asked(OPERATOR.mail, cell.region);
    await this.decide(asked, "confirm");
    demand(
      (await this.stateOf(cell.region)) === "running",
      "the instance was touched before anybody approved",
    );
    return {
      detail: `denied; ${OPERATOR.mail} was asked after ${Date.parse(asked.mail.at) - at} ms, and confirmed`,
      evidence: [
        { label: "AWS", value: message },
        { label: asked.mail.subject, value: asked.mail.text },
      ],
    };
  }

  /** Two levels decide on the pages that their mails lead to; then the operator has the last word. */
  async approve(cell: LocalCell): Promise<StepFindings> {
    const mails: Mail[] = [];
    for (const { mail } of [LEAD, OWNER]) {
      const asked = await this.asked(mail, cell.region);
      mails.push(asked.mail);
      this.spent ??= asked;
      await this.decide(asked, "approve");
    }
    demand((await this.stateOf(cell.region)) === "running", "the instance was touched before the last word");
    await this.decide(await this.asked(OPERATOR.mail, cell.region), "execute");
    mails.push(await this.told(OPERATOR.mail, cell.region));
    demand((await this.stateOf(cell.region)) !== "running", "the instance was not terminated");
    return {
      detail: `${LEAD.mail} and ${OWNER.mail} approved, ${OPERATOR.mail} had the last word: ${this.instance} is terminated`,
      evidence: mails.map(({ subject, text }) => ({ label: subject, value: text })),
    };
  }

  /** Nothing is left that could be used again. */
  async tryAgain(cell: LocalCell): Promise<StepFindings> {
    const page = await (await fetch(this.spent!.link)).text();
    demand(!page.includes('class="decision"'), "a link that was used can be used again");
    const used = this.instance;
    this.instance = await this.runInstance(cell.region);
    await this.denied(cell.region);
    await this.asked(OPERATOR.mail, cell.region);
    const executor = arn({
      partition: partitionOf(cell.region),
      service: "iam",
      account: OPERATORS_ACCOUNT,
      resource: `role/${accountRolePathAndName(this.cell(cell), "executor")}`,
    });
    const refused = await Promise.all(
      [this.operator!, this.context.environment.organization.deployer].map((credentials) =>
        this.cannotAssume(cell.region, credentials, executor),
      ),
    );
    return {
      detail: `the same link: nothing left to decide; the next instance after ${used}: denied, and asked for anew; the executor role: refused to the operator and to an administrator`,
      evidence: refused.map((value) => ({ label: "AWS", value })),
    };
  }

  /** The other way in, since delivery of denied calls is best effort (fact 22); and a request that is still open when the region is lost. */
  async askByHand(): Promise<StepFindings> {
    const ec2 = this.ec2(OTHER_REGION);
    const { VolumeId = "" } = await ec2.send(
      new CreateVolumeCommand({ AvailabilityZone: `${OTHER_REGION}a`, Size: 1 }),
    );
    ec2.destroy();
    this.volume = VolumeId;
    const answer = await this.command("request", PRIMARY, [
      ...["--service", "ec2", "--api", "DeleteVolume", "--input", JSON.stringify({ VolumeId })],
      ...[
        "--account",
        OPERATORS_ACCOUNT,
        "--region",
        OTHER_REGION,
        "--reason",
        "replaced by a larger one",
        "--json",
      ],
    ]);
    this.byHand = openedSchema.parse(JSON.parse(answer)).opened;
    await this.decide(await this.asked(ENGINEER.mail, PRIMARY.region), "confirm");
    await this.decide(await this.asked(LEAD.mail, PRIMARY.region), "approve");
    return {
      detail: `request ${this.byHand} for ${VolumeId} in ${OTHER_REGION} waits for its second approval`,
    };
  }

  /** What was under way in the lost region is known in the other one, and is asked anew. */
  async openAnew(): Promise<StepFindings> {
    const listed = listSchema.parse(JSON.parse(await this.command("list", STANDBY, ["--json"])));
    const lost = listed.find(({ request }) => request.id === this.byHand);
    demand(
      lost?.cell === PRIMARY.name && lost.request.state === "approving",
      `${STANDBY.name} does not list ${this.byHand} as waiting for an approval: ${JSON.stringify(listed)}`,
    );
    const answer = await this.command("reopen", STANDBY, [this.byHand, "--json"]);
    const { opened } = openedSchema.parse(JSON.parse(answer));
    const asked = await this.asked(ENGINEER.mail, STANDBY.region);
    await this.decide(asked, "confirm");
    for (const { mail } of [LEAD, OWNER])
      await this.decide(await this.asked(mail, STANDBY.region), "approve");
    await this.decide(await this.asked(ENGINEER.mail, STANDBY.region), "execute");
    await this.told(ENGINEER.mail, STANDBY.region);
    const ec2 = this.ec2(OTHER_REGION);
    const { Volumes = [] } = await ec2.send(new DescribeVolumesCommand());
    ec2.destroy();
    demand(!Volumes.some(({ VolumeId }) => VolumeId === this.volume), "the volume was not deleted");
    return {
      detail: `listed as approving, opened anew as ${opened}, approved anew by everybody: ${this.volume} is deleted`,
      evidence: [{ label: asked.mail.subject, value: asked.mail.text }],
    };
  }

  /** Both cells' audit says who did what: three calls were made, each once and by one cell. */
  async audit(): Promise<StepFindings> {
    const text = await this.command("audit", PRIMARY, ["--since", "1d", "--format", "json"]);
    const entries = z.array(auditEntrySchema).parse(JSON.parse(text));
    const calls = entries
      .filter(({ what }) => what === "called")
      .map(({ cell, call, region }) => `${cell}: ${call} in ${region}`)
      .sort();
    const wanted = [
      `${PRIMARY.name}: ec2:TerminateInstances in ${PRIMARY.region}`,
      `${STANDBY.name}: ec2:TerminateInstances in ${STANDBY.region}`,
      `${STANDBY.name}: ec2:DeleteVolume in ${OTHER_REGION}`,
    ].sort();
    demand(
      JSON.stringify(calls) === JSON.stringify(wanted),
      `the audit has other calls: ${calls.join("; ")}`,
    );
    const ended = entries.filter(({ what }) => what === "accessEnded").length;
    demand(ended === wanted.length, `${ended} accesses ended, not ${wanted.length}`);
    return { detail: `${entries.length} entries of both cells; calls: ${calls.join("; ")}` };
  }

  // ------------------------------------------------------------------------------------------------ people

  /** The next mail to somebody that asks for something. */
  private asked(address: string, region: string): Promise<Ask> {
    return this.mail(`a mail from ${region} that asks ${address}`, address, region, (mail) => {
      const link = /(https?:\/\/\S+\?link=\S+)/.exec(mail.text)?.[1];
      const code = /\b(\d{3} \d{3})\b/.exec(mail.text)?.[1];
      return link && code ? { link, code, mail } : undefined;
    });
  }

  /** The mail to somebody that their request was carried out: the last thing that happens to one. */
  private told(address: string, region: string): Promise<Mail> {
    return this.mail(`a mail from ${region} that tells ${address} of the end`, address, region, (mail) =>
      /Carried out:/.test(mail.subject) ? mail : undefined,
    );
  }

  /** The first mail to somebody, of those that were not taken yet, of which there is something to take. */
  private mail<T>(what: string, to: string, region: string, take: (mail: Mail) => T | undefined): Promise<T> {
    return waitFor(
      what,
      async () => {
        for (const mail of await readInbox(this.url)) {
          if (this.taken.has(mail.id) || mail.region !== region || !mail.to.includes(to)) continue;
          const found = take(mail);
          if (found === undefined) continue;
          this.taken.add(mail.id);
          return found;
        }
        return undefined;
      },
      { timeoutMs: TIMEOUT_MS, signal: this.context.options.signal },
    );
  }

  /** Opens the page that a mail leads to, and sends its form as a browser does. */
  private async decide({ link, code, mail }: Ask, choice: string): Promise<void> {
    const page = await (await fetch(link)).text();
    const action = /<form class="decision" method="post" action="([^"]+)"/.exec(page)?.[1];
    if (!action) throw new Error(`the page that "${mail.subject}" leads to has nothing to decide`);
    const form = new URLSearchParams({ choice, code });
    for (const [, name, value] of page.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)">/g)) {
      form.set(name!, value!);
    }
    const answer = await fetch(new URL(action, link), { method: "POST", body: form });
    demand(answer.status === 200, `the page answered ${answer.status} to "${choice}" of "${mail.subject}"`);
  }

  private async command(name: string, { name: cell }: LocalCell, args: readonly string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.context.command([
      "approval",
      name,
      ...args,
      "--cell",
      cell,
    ]);
    demand(exitCode === 0, `bulkhead approval ${name} ended with ${exitCode}: ${stderr || stdout}`);
    return stdout;
  }

  // ------------------------------------------------------------------------------------------------ AWS

  private get url(): string {
    return this.context.environment.proxy.url;
  }

  private cell({ name, region }: LocalCell) {
    return normalizeCell({ name, region, accountId: this.context.accountId });
  }

  /** The member's administrator makes a user who may look and not delete. */
  private async createOperator(): Promise<AccessKey> {
    const iam = new IAMClient({ ...this.rootOfMember, region: PRIMARY.region });
    const { userName: UserName } = OPERATOR;
    await iam.send(new CreateUserCommand({ UserName }));
    await iam.send(
      new PutUserPolicyCommand({
        UserName,
        PolicyName: "look",
        PolicyDocument: JSON.stringify({
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Action: "ec2:Describe*", Resource: "*" }],
        }),
      }),
    );
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
    iam.destroy();
    return { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! };
  }

  private async runInstance(region: string): Promise<string> {
    const ec2 = this.ec2(region);
    const { Instances } = await ec2.send(
      new RunInstancesCommand({
        ImageId: "ami-12345678",
        InstanceType: "t3.micro",
        MinCount: 1,
        MaxCount: 1,
      }),
    );
    ec2.destroy();
    return Instances![0]!.InstanceId!;
  }

  private async stateOf(region: string): Promise<string | undefined> {
    const ec2 = this.ec2(region);
    const { Reservations } = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [this.instance] }));
    ec2.destroy();
    return Reservations?.[0]?.Instances?.[0]?.State?.Name;
  }

  /** The operator's call. @returns what AWS answers */
  private async denied(region: string): Promise<string> {
    const ec2 = new EC2Client({ endpoint: this.url, region, credentials: this.operator!, maxAttempts: 1 });
    try {
      await ec2.send(new TerminateInstancesCommand({ InstanceIds: [this.instance] }));
    } catch (error) {
      if (error instanceof Error && error.name === "UnauthorizedOperation") return error.message;
      throw error;
    } finally {
      ec2.destroy();
    }
    throw new Error("the operator's own call was allowed");
  }

  private async cannotAssume(region: string, credentials: AccessKey, RoleArn: string): Promise<string> {
    const sts = new STSClient({
      endpoint: this.url,
      region,
      credentials,
      maxAttempts: 1,
      requestHandler: { requestTimeout: NO_ANSWER_MS },
    });
    try {
      await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: "again", SourceIdentity: "again" }));
    } catch (error) {
      if (error instanceof Error && error.name === "AccessDenied") return error.message;
      throw error;
    } finally {
      sts.destroy();
    }
    throw new Error("somebody else than approval's function has assumed the executor role");
  }

  private ec2(region: string): EC2Client {
    return new EC2Client({ ...this.rootOfMember, region });
  }

  private get rootOfMember() {
    return rootSettings(this.url, OPERATORS_ACCOUNT);
  }
}

function demand(met: boolean, otherwise: string): asserts met {
  if (!met) throw new Error(otherwise);
}
