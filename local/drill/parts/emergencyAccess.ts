/** Emergency users: passwords, devices, signing in, mails. */
import { randomUUID } from "node:crypto";
import { IAMClient, ListUsersCommand } from "@aws-sdk/client-iam";
import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { DEFAULT_EMERGENCY_PATH } from "../../../components/breakGlassAccount/emergencyUsers";
import { enrolSecurityKey } from "../../../functions/breakGlass/custody/enrolSecurityKey";
import { enrolTotp } from "../../../functions/breakGlass/custody/enrolTotp";
import { IamIdentity } from "../../../functions/breakGlass/custody/iamIdentity";
import type { CustodyTools } from "../../../functions/breakGlass/custody/rotate";
import { registerSecurityKey } from "../../aws/console";
import { type Mail, readInbox } from "../../aws/inbox";
import { type LocalCell, PRIMARY } from "../../environment";
import type { Evidence } from "../../report/types";
import { waitFor } from "../../waitFor";
import type { DrillContext } from "../context";
import { EmergencyUser } from "../emergencyUser";
import type { StepFindings } from "../runner";

/** Longest wait for a mail: it takes a fraction of a second here, seconds on AWS. */
const MAIL_TIMEOUT_MS = 10_000;

export async function openPasswords(context: DrillContext): Promise<StepFindings> {
  const outputs = await context.environment.driver.outputs(PRIMARY.name, { showSecrets: true });
  const messages = Object.entries(outputs.encryptedPasswords as Record<string, string>);
  const { custodians } = context.environment;
  const lines: string[] = [];
  for (const [index, [userName, message]] of messages.entries()) {
    const opened = await Promise.allSettled(custodians.map((custodian) => custodian.decrypt(message)));
    const openedBy = custodians.filter((_, i) => opened[i]!.status === "fulfilled");
    if (openedBy.length !== 1 || openedBy[0] !== custodians[index]) {
      const who = openedBy.map(({ address }) => address).join(", ") || "nobody";
      throw new Error(
        `the password of ${userName} can be opened by ${who}, not by ${custodians[index]?.address} alone`,
      );
    }
    const password = (opened[index] as PromiseFulfilledResult<string>).value;
    if (password.length < 32)
      throw new Error(`the password of ${userName} has ${password.length} characters, fewer than 32`);
    context.users.push(new EmergencyUser(userName, context.accountId, password));
    lines.push(`${custodians[index]!.address} opened that of ${userName}: ${password.length} characters`);
  }
  return { detail: lines.join("\n") };
}

export async function actWithoutMfa(context: DrillContext): Promise<StepFindings> {
  const session = await context.signIn(context.first, PRIMARY.region);
  if (session.mfa) throw new Error("the session claims a second factor that was not given");
  const iam = new IAMClient({ region: PRIMARY.region, ...context.client(session) });
  try {
    await iam.send(new ListUsersCommand());
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "AccessDenied") throw error;
    return { detail: "denied", evidence: [{ label: "AWS", value: error.message }] };
  } finally {
    iam.destroy();
  }
  throw new Error("a call without a second factor was allowed");
}

/**
 * Enrols what each user needs: two TOTP devices in the hands of two people, who read the codes, and a security key. The product's own flow, in
 * this process: its command shows the seed on a terminal.
 */
export async function enrol(context: DrillContext): Promise<StepFindings> {
  const { custodians, proxy } = context.environment;
  const iam = new IAMClient(context.deployerSettings(PRIMARY.region));
  const tools: CustodyTools = {
    identity: new IamIdentity(iam, iam),
    sides: context.evidenceSides(),
    by: `drill of ${context.accountId}`,
    newId: randomUUID,
    pause: async () => {},
  };
  const lines: string[] = [];
  for (const [index, user] of context.users.entries()) {
    const keeper = custodians[index]!.address;
    const other = custodians[(index + 1) % custodians.length]!.address;
    for (const holder of [keeper, other]) {
      let codes: readonly [string, string];
      const { serialNumber } = await enrolTotp(
        tools,
        { userName: user.name, holder, path: DEFAULT_EMERGENCY_PATH },
        {
          async show({ seed }) {
            codes = user.addDevice(seed.reveal());
          },
          codes: async () => codes,
          async close() {},
        },
      );
      lines.push(`${holder} holds ${serialNumber}`);
    }
    const key = { accountId: context.accountId, userName: user.name, name: "office-safe" };
    const { serialNumber } = await enrolSecurityKey(
      tools,
      { userName: user.name, holder: keeper },
      { guide: async () => void (await registerSecurityKey(proxy.url, key)) },
    );
    lines.push(`${keeper} holds ${serialNumber}`);
  }
  iam.destroy();
  return { detail: lines.join("\n") };
}

export async function signInAndAct(
  context: DrillContext,
  user: EmergencyUser,
  cell: LocalCell,
  act: () => Promise<string>,
): Promise<StepFindings> {
  context.session = await context.signIn(user, cell.region);
  if (!context.session.mfa) throw new Error("the session has no second factor");
  const signedInAt = Date.now();
  const waited =
    user.waitedMs < 1000
      ? ""
      : ` (after waiting ${Math.round(user.waitedMs / 1000)} s for the device's next code)`;
  const detail = `${await act()}${waited}`;
  const evidence: Evidence[] = [];
  // SNS's own mail needs no function and comes at once; the readable one is made by the cell's function.
  for (const kind of ["sns", "ses"] as const) {
    const mail = await mailAbout(context, user, cell, kind, signedInAt);
    context.mails.push({
      at: mail.at,
      region: cell.region,
      subject: mail.subject,
      to: mail.to,
      latencyMs: Math.max(0, Date.parse(mail.at) - signedInAt),
      text: mail.text,
    });
    evidence.push({ label: `Mail by ${kind.toUpperCase()} from ${cell.region}`, value: mail.text });
  }
  return { detail, evidence };
}

/** The mail of a cell about the sign-in with a second factor that ended at `signedInAt`. */
export function mailAbout(
  context: DrillContext,
  user: EmergencyUser,
  cell: LocalCell,
  kind: "sns" | "ses",
  signedInAt: number,
): Promise<Mail> {
  return waitFor(
    `a mail by ${kind.toUpperCase()} about the sign-in from ${cell.name} (${cell.region})`,
    async () => (await mailsAbout(context, user, cell, signedInAt)).find((each) => each.kind === kind),
    { timeoutMs: MAIL_TIMEOUT_MS, signal: context.options.signal },
  );
}

/** Mails about the sign-in with a second factor that ended at `signedInAt`; an earlier one's may still be on its way. */
async function mailsAbout(
  context: DrillContext,
  user: EmergencyUser,
  cell: LocalCell,
  signedInAt: number,
): Promise<Mail[]> {
  const mails = await readInbox(context.environment.proxy.url);
  return mails.filter(({ region, text }) => {
    // Event times are whole seconds; earlier sign-ins with a second factor are many seconds away.
    const time = Date.parse(/^"?Time: +(\S+?)"?$/m.exec(text)?.[1] ?? "");
    return (
      region === cell.region &&
      [user.name, "ConsoleLogin"].every((it) => text.includes(it)) &&
      /^"?MFA: +Yes/m.test(text) &&
      time > signedInAt - 2000
    );
  });
}

export async function listUsers(context: DrillContext): Promise<string> {
  const iam = new IAMClient({ region: PRIMARY.region, ...context.client(context.session!) });
  const { Users } = await iam.send(new ListUsersCommand({ PathPrefix: "/break-glass/" }));
  iam.destroy();
  return `signed in with a second factor; listed ${Users!.length} emergency users`;
}

export async function writeParameter(context: DrillContext, cell: LocalCell): Promise<string> {
  const settings = { region: cell.region, ...context.client(context.session!) };
  const sts = new STSClient(settings);
  const ssm = new SSMClient(settings);
  const { Arn } = await sts.send(new GetCallerIdentityCommand());
  await ssm.send(
    new PutParameterCommand({
      Name: "/bulkhead/drill",
      Value: "written during the outage",
      Type: "String",
      Overwrite: true,
    }),
  );
  sts.destroy();
  ssm.destroy();
  return `${Arn} acted in ${cell.region}`;
}
