import { Command, Option } from "commander";
import { hasSecurityKeys, partitionOf } from "../../../components/regional/partition";
import { departure } from "../../../functions/breakGlass/custody/currentPasswords";
import { shortfall } from "../../../functions/breakGlass/custody/devices";
import {
  enrolSecurityKey,
  type RegistrationDesk,
} from "../../../functions/breakGlass/custody/enrolSecurityKey";
import { type EnrolmentResult, enrolTotp } from "../../../functions/breakGlass/custody/enrolTotp";
import type { CustodyTools } from "../../../functions/breakGlass/custody/rotate";
import { readEverywhere } from "../../../functions/breakGlass/records/bothCells";
import { iamUserLink } from "../../../functions/shared/notice/consoleLinks";
import { CliError, EXIT_CODES } from "../../exitCodes";
import {
  type ConfiguredUser,
  type CustodyConfig,
  type CustodyOptions,
  completeEvidence,
  custodyTools,
  findUser,
  printResult,
  readCustodyConfig,
  reportingErrors,
  storedLines,
  USER_PATH,
  withCustodyOptions,
} from "./custodianContext";
import { type Prompts, withPrompts } from "./custodianPrompts";
import { EnrolScreen } from "./enrolScreen";

interface EnrolOptions extends CustodyOptions {
  user: string;
  holder?: string;
  device: "totp" | "fido";
  png?: string;
  serial?: string;
}

/** `bulkhead break-glass enrol`: one more MFA device for an emergency user. */
export function enrolCommand(): Command {
  return withCustodyOptions(new Command("enrol"))
    .description("Enrol an MFA device of an emergency user, one for each person who may have to sign in.")
    .requiredOption("--user <name>", "the emergency user")
    .option("--holder <address>", "who will hold the device (default: the custodian of the user's password)")
    .addOption(
      new Option("--device <kind>", "an authenticator's codes (totp) or a security key (fido)")
        .choices(["totp", "fido"])
        .default("totp"),
    )
    .option("--png <file>", "write the QR code into this file instead of showing it; deleted at the end")
    .option("--serial <number>", "with --device fido: a key that is registered already, to record its holder")
    .addHelpText(
      "after",
      `
A TOTP device is made and enabled here: scan the QR code, then type two codes that follow each other. Its seed is
kept nowhere. A security key can only be registered in the console; the command says where, and checks that it worked.
Up to eight devices a user, at least two, at least one of them TOTP. In China there are no security keys.`,
    )
    .action((options: EnrolOptions) =>
      reportingErrors(() => withPrompts((prompts) => enrol(options, prompts))),
    );
}

async function enrol(options: EnrolOptions, prompts: Prompts): Promise<void> {
  const config = readCustodyConfig(options);
  const user = findUser(config.users, options.user);
  const holder = options.holder ?? user.custodian;
  if (!/^[^\s/]{3,100}$/.test(holder)) {
    throw new CliError(
      EXIT_CODES.usage,
      `--holder is "${holder}": an address without spaces, such as alice@example.com`,
    );
  }
  if (options.png !== undefined && options.device !== "totp") {
    throw new CliError(EXIT_CODES.usage, "--png is for TOTP devices: a security key has no QR code.");
  }
  if (options.serial !== undefined && options.device !== "fido") {
    throw new CliError(EXIT_CODES.usage, "--serial is for security keys: say --device fido.");
  }
  if (options.device === "fido") refuseWithoutSecurityKeys(config, options, holder);
  const request = { userName: user.userName, holder };
  // Before anything is made: whether the QR code can be shown.
  const screen =
    options.device === "totp" ? new EnrolScreen(prompts, config.accountId, options.png) : undefined;
  const tools = await custodyTools(config);
  if (options.holder === undefined) await refuseDeparted(config, user, tools);
  const result = screen
    ? await enrolTotp(tools, { ...request, path: USER_PATH }, screen)
    : await enrolSecurityKey(
        tools,
        { ...request, serialNumber: options.serial },
        registrationDesk(config, user.userName, holder, prompts),
      );
  printResult(options, result, lines(result));
  if (!result.stored.some(({ recorded }) => recorded)) process.exitCode = EXIT_CODES.failed;
  await completeEvidence(tools);
}

/** Nobody is to be guided through a console that has no such step (fact 12). @throws CliError */
function refuseWithoutSecurityKeys(
  { iamRegion }: CustodyConfig,
  { stack, user }: EnrolOptions,
  holder: string,
): void {
  const partition = partitionOf(iamRegion);
  if (hasSecurityKeys(partition)) return;
  throw new CliError(
    EXIT_CODES.usage,
    `--device is fido, and IAM in partition ${partition} knows no security keys: MFA is by TOTP only. Nothing was changed. Enrol a TOTP device instead: bulkhead break-glass enrol --stack ${stack} --user ${user} --holder ${holder}`,
  );
}

/** The default holder is whom the configuration names, which can be behind. @throws CliError */
async function refuseDeparted(
  { primary }: CustodyConfig,
  { userName, custodian }: ConfiguredUser,
  { sides }: CustodyTools,
): Promise<void> {
  const [left, passwords] = await Promise.all([
    readEverywhere(sides, "custodianLeft"),
    readEverywhere(sides, "passwordIssued"),
  ]);
  const gone = departure(left.records, passwords.records, userName, custodian);
  if (!gone) return;
  throw new CliError(
    EXIT_CODES.usage,
    `${custodian} left on ${gone.at}, and Pulumi.${primary}.yaml still names them for ${userName}. Say who will hold the device: --holder ADDRESS. Nothing was changed.`,
  );
}

/** Guides an administrator through the console. */
function registrationDesk(
  config: CustodyConfig,
  userName: string,
  holder: string,
  prompts: Prompts,
): RegistrationDesk {
  const page = iamUserLink(config.iamRegion, userName)[0]!.url;
  const steps = [
    `A security key can only be registered in the console, by an administrator, with ${holder} and the key present:`,
    `  1. Sign in as an administrator and open ${page}`,
    '  2. "Multi-factor authentication (MFA)": choose "Assign MFA device".',
    `  3. Device name: ${holder.replace(/[^\w+=,.@-]+/g, "-")}. Device type: "Passkey or security key". Next.`,
    "  4. In the browser's dialogue choose the security key, not a passkey that this computer or a password manager keeps.",
    `     ${holder} touches the key, and sets or types its PIN.`,
    "The registration raises an alert, which is expected.",
  ];
  return {
    async guide(attempt) {
      prompts.say(attempt === 1 ? steps.join("\n") : "\nIAM does not list a new security key yet.");
      await prompts.ask("Press Enter when the console shows the key. ");
    },
  };
}

function lines(result: EnrolmentResult): string[] {
  const { userName, holder, serialNumber, serialNumbers, stored } = result;
  const lacking = shortfall(serialNumbers);
  const recorded = stored.some((write) => write.recorded);
  return [
    `${holder} now holds a ${result.kind === "totp" ? "TOTP device" : "security key"} of ${userName}.`,
    `  Device       ${serialNumber}`,
    ...storedLines("Recorded in", stored),
    ...result.removedLeftovers.map(
      (left) => `  Deleted      ${left}, left behind by an enrolment that was cut off`,
    ),
    ...result.recordedLate.map(
      (late) => `  Recorded     ${late.serialNumber}, held by ${late.holder} by its name`,
    ),
    `${userName} has ${serialNumbers.length} device${serialNumbers.length === 1 ? "" : "s"}; AWS allows 8.`,
    "Alerts about this change are expected.",
    ...(recorded
      ? []
      : [
          "The device works, but no cell took the record of who holds it.",
          result.kind === "totp"
            ? `The next enrolment for ${userName} adds the record, by the device's name.`
            : `Add it once a cell answers: bulkhead break-glass enrol --user ${userName} --holder ${holder} --device fido --serial ${serialNumber}`,
        ]),
    ...(lacking
      ? ["Next:", `  Enrol another device, for another person: ${userName} has ${lacking}.`]
      : [
          "Next:",
          "  Try the device: sign in once with it, in the next drill at the latest (bulkhead break-glass drill).",
        ]),
  ];
}
