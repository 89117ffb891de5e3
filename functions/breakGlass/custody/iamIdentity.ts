import {
  CreateVirtualMFADeviceCommand,
  DeactivateMFADeviceCommand,
  DeleteVirtualMFADeviceCommand,
  EnableMFADeviceCommand,
  GetLoginProfileCommand,
  type IAMClient,
  paginateListMFADevices,
  paginateListVirtualMFADevices,
  UpdateLoginProfileCommand,
} from "@aws-sdk/client-iam";
import { CustodyError, type CustodyErrorCode } from "./custodyError";
import type { EnabledDevice, Identity, NewTotpDevice } from "./identity";
import { Secret } from "./secret";

/** AWS refuses requests from five minutes on; evidence of two machines is ordered by their clocks, so less is too much already. */
const CLOCK_TOLERANCE_MS = 60_000;

/**
 * IAM's users over the SDK. IAM has one control plane a partition (fact 9): the client's region has to be that of it.
 *
 * Messages of AWS are not passed on where a password was sent along.
 */
export class IamIdentity implements Identity {
  private awsTime: number | undefined;
  private answeredAt = 0;

  /**
   * @param client for everything that may be tried again by the SDK
   * @param once a client with `maxAttempts: 1`, for what must be sent once
   * @param now milliseconds, for tests @default the system's clock
   */
  constructor(
    private readonly client: IAMClient,
    private readonly once: IAMClient,
    private readonly now: () => number = Date.now,
  ) {
    // The SDK corrects a wrong clock silently. For signatures that is right; evidence would be misdated.
    client.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        const { headers } = result.response as { headers?: Record<string, string | undefined> };
        const date = Date.parse(headers?.date ?? "");
        this.awsTime = Number.isNaN(date) ? undefined : date;
        this.answeredAt = this.now();
        return result;
      },
      { step: "deserialize", name: "bulkheadAwsTime" },
    );
  }

  async checkPassword(userName: string): Promise<void> {
    await call(`reading when the password of ${userName} was made`, "iam:GetLoginProfile", () =>
      this.client.send(new GetLoginProfileCommand({ UserName: userName })),
    ).catch((error: unknown) => {
      if (!(error instanceof CustodyError) || error.code !== "no-such-user") throw error;
      throw new CustodyError(
        "no-password",
        `There is no user ${userName} with a console password in this account. Is the name right, and is the primary cell deployed?`,
        { cause: error.cause },
      );
    });
    if (this.awsTime === undefined) return;
    const off = this.answeredAt - this.awsTime;
    if (Math.abs(off) > CLOCK_TOLERANCE_MS) {
      throw new CustodyError(
        "clock",
        `This machine's clock is ${Math.round(Math.abs(off) / 1000)} s ${off > 0 ? "fast" : "slow"} by AWS's. Evidence would be misdated: set the clock, then run this again. Nothing was changed.`,
      );
    }
  }

  async setPassword(userName: string, password: Secret): Promise<void> {
    await call(`setting the password of ${userName}`, "iam:UpdateLoginProfile", () =>
      this.once.send(
        // A forced change at first sign-in would fail under the policy that demands MFA (fact 29).
        new UpdateLoginProfileCommand({
          UserName: userName,
          Password: password.reveal(),
          PasswordResetRequired: false,
        }),
      ),
    );
  }

  async devices(userName: string): Promise<EnabledDevice[]> {
    return call(`listing the devices of ${userName}`, "iam:ListMFADevices", async () => {
      const devices: EnabledDevice[] = [];
      for await (const { MFADevices = [] } of paginateListMFADevices(
        { client: this.client },
        { UserName: userName },
      )) {
        for (const { SerialNumber, EnableDate } of MFADevices) {
          if (SerialNumber)
            devices.push({ serialNumber: SerialNumber, enabledAt: EnableDate?.toISOString() ?? "" });
        }
      }
      return devices;
    });
  }

  async unassignedDevices(): Promise<string[]> {
    return call("listing the virtual devices that no user has", "iam:ListVirtualMFADevices", async () => {
      const serialNumbers: string[] = [];
      for await (const { VirtualMFADevices = [] } of paginateListVirtualMFADevices(
        { client: this.client },
        { AssignmentStatus: "Unassigned" },
      )) {
        for (const { SerialNumber } of VirtualMFADevices) if (SerialNumber) serialNumbers.push(SerialNumber);
      }
      return serialNumbers;
    });
  }

  async createTotpDevice(name: string, path: string): Promise<NewTotpDevice> {
    return call(`making the virtual device ${name}`, "iam:CreateVirtualMFADevice", async () => {
      const { VirtualMFADevice } = await this.client.send(
        new CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: name, Path: path }),
      );
      const { SerialNumber, Base32StringSeed, QRCodePNG } = VirtualMFADevice ?? {};
      // AWS's own picture of the seed is not used: it shows a name of AWS's choice.
      QRCodePNG?.fill(0);
      if (!SerialNumber || !Base32StringSeed) throw new Error("no device in the answer");
      return { serialNumber: SerialNumber, seed: new Secret(Base32StringSeed) };
    });
  }

  async enableTotpDevice(
    userName: string,
    serialNumber: string,
    codes: readonly [string, string],
  ): Promise<void> {
    await call(`enabling the device for ${userName}`, "iam:EnableMFADevice", () =>
      this.once.send(
        new EnableMFADeviceCommand({
          UserName: userName,
          SerialNumber: serialNumber,
          AuthenticationCode1: codes[0],
          AuthenticationCode2: codes[1],
        }),
      ),
    );
  }

  async deactivateDevice(userName: string, serialNumber: string): Promise<void> {
    await unlessMissing(
      call(`taking the device ${serialNumber} away from ${userName}`, "iam:DeactivateMFADevice", () =>
        this.client.send(new DeactivateMFADeviceCommand({ UserName: userName, SerialNumber: serialNumber })),
      ),
    );
  }

  async deleteTotpDevice(serialNumber: string): Promise<void> {
    await unlessMissing(
      call(`deleting the virtual device ${serialNumber}`, "iam:DeleteVirtualMFADevice", () =>
        this.client.send(new DeleteVirtualMFADeviceCommand({ SerialNumber: serialNumber })),
      ),
    );
  }
}

async function unlessMissing(doing: Promise<unknown>): Promise<void> {
  try {
    await doing;
  } catch (error) {
    if (!(error instanceof CustodyError && error.code === "no-such-user")) throw error;
  }
}

/** What IAM's errors mean (its API reference). Of these nothing was changed. */
const REFUSALS: Record<string, { code: CustodyErrorCode; text: string }> = {
  NoSuchEntity: { code: "no-such-user", text: "there is no such user or device" },
  PasswordPolicyViolation: {
    code: "password-refused",
    text: "the new password does not fit the account's password policy. Look at it with: aws iam get-account-password-policy. A longer one can be had with --length (up to 128); all four classes of characters are in it already",
  },
  InvalidAuthenticationCode: { code: "wrong-codes", text: "the codes are wrong" },
  LimitExceeded: { code: "device-limit", text: "the user has as many devices as IAM allows" },
  EntityAlreadyExists: { code: "device-exists", text: "a device of that name exists" },
  EntityTemporarilyUnmodifiable: {
    code: "iam-refused",
    text: "IAM is still busy with an earlier change. Try again in a few minutes",
  },
  ConcurrentModification: {
    code: "iam-refused",
    text: "somebody else is changing the same. Try again in a few minutes",
  },
  DeleteConflict: { code: "iam-refused", text: "the device still belongs to a user" },
};
const CREDENTIAL_ERRORS =
  /^(CredentialsProviderError|ExpiredToken|InvalidClientTokenId|SignatureDoesNotMatch|UnrecognizedClient|RequestExpired)/;

async function call<T>(doing: string, action: string, send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    throw custodyError(doing, action, error);
  }
}

function custodyError(doing: string, action: string, error: unknown): CustodyError {
  const { name = "", $metadata } = error as { name?: string; $metadata?: { httpStatusCode?: number } };
  const word = name.replace(/Exception$/, "");
  const refuse = (code: CustodyErrorCode, text: string) =>
    new CustodyError(code, `${capital(doing)} failed: ${text}.`, { cause: safeCause(error) });
  const known = REFUSALS[word];
  if (known) return refuse(known.code, known.text);
  if (/^AccessDenied|^UnauthorizedOperation/.test(word)) {
    return refuse("iam-denied", `you may not. It takes ${action}`);
  }
  if (CREDENTIAL_ERRORS.test(word)) {
    return refuse(
      "iam-credentials",
      `AWS does not take your credentials (${word}). Sign in anew and try again`,
    );
  }
  const status = $metadata?.httpStatusCode ?? 0;
  if (status >= 400 && status < 500 && status !== 408 && status !== 429 && !/Thrott/i.test(word)) {
    return refuse("iam-refused", `IAM answered ${/^\w{1,60}$/.test(word) ? word : status}`);
  }
  return refuse("iam-unavailable", "IAM's control plane does not answer");
}

/** The cause without its message and fields, which can quote what was sent. */
function safeCause(error: unknown): Error {
  const cause = new Error("");
  cause.name = error instanceof Error && /^\w{1,64}$/.test(error.name) ? error.name : "Error";
  return cause;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
