import { CreateVirtualMFADeviceCommand, EnableMFADeviceCommand, type IAMClient } from "@aws-sdk/client-iam";
import { generateSync } from "otplib";
import { type ConsoleSession, SignInError, signIn } from "../aws/console";
import { waitFor } from "../waitFor";

/** Seconds that a TOTP code is good for (RFC 6238, section 5.2). */
const CODE_SECONDS = 30;

const currentCode = () => Math.floor(Date.now() / 1000 / CODE_SECONDS);

/** An emergency user of the drill, with what its people hold: the opened password and the TOTP device. In memory only. */
export class EmergencyUser {
  private mfaSecret: string | undefined;
  private lastCode = 0;
  private waited = 0;

  constructor(
    readonly name: string,
    private readonly accountId: string,
    private readonly password: string,
  ) {}

  get passwordLength(): number {
    return this.password.length;
  }

  /** Milliseconds that the last sign-in waited for the device's next code. */
  get waitedMs(): number {
    return this.waited;
  }

  /**
   * Has an administrator enrol a TOTP device, which takes two consecutive codes.
   * @returns the device's serial number
   */
  async enrol(iam: IAMClient): Promise<string> {
    const { VirtualMFADevice } = await iam.send(
      new CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: `${this.name}-totp`, Path: "/break-glass/" }),
    );
    this.mfaSecret = Buffer.from(VirtualMFADevice!.Base32StringSeed!).toString();
    this.lastCode = currentCode();
    await iam.send(
      new EnableMFADeviceCommand({
        UserName: this.name,
        SerialNumber: VirtualMFADevice!.SerialNumber!,
        AuthenticationCode1: this.code(this.lastCode - 1),
        AuthenticationCode2: this.code(this.lastCode),
      }),
    );
    return VirtualMFADevice!.SerialNumber!;
  }

  /**
   * Signs in at a region's address, with the second factor if a device is enrolled.
   * @param url the local AWS, or the region proxy in front of it
   * @throws SignInError
   */
  async signIn(url: string, region: string, signal?: AbortSignal): Promise<ConsoleSession> {
    return signIn(url, {
      accountId: this.accountId,
      userName: this.name,
      password: this.password,
      region,
      ...(this.mfaSecret && { mfaCode: await this.freshCode(signal) }),
    });
  }

  /**
   * Tries a region's sign-in address without spending a code: with one that was used already.
   * @returns what the address said; undefined when it let the user in
   */
  async refusalAt(url: string, region: string): Promise<SignInError | undefined> {
    const { name: userName, accountId, password } = this;
    try {
      await signIn(url, { accountId, userName, password, region, mfaCode: this.code(this.lastCode) });
      return undefined;
    } catch (error) {
      if (error instanceof SignInError) return error;
      throw error;
    }
  }

  /**
   * A code that was not used yet. AWS takes each code once, and the neighbouring ones too, for devices whose clock is off: so the code that
   * comes next is good already.
   */
  private async freshCode(signal: AbortSignal | undefined): Promise<string> {
    const started = performance.now();
    await waitFor(
      "a new code of the TOTP device",
      async () => (currentCode() + 1 > this.lastCode ? true : undefined),
      { timeoutMs: 2 * CODE_SECONDS * 1000, intervalMs: 100, signal },
    );
    this.waited = performance.now() - started;
    this.lastCode = Math.max(this.lastCode + 1, currentCode());
    return this.code(this.lastCode);
  }

  private code(index: number): string {
    return generateSync({ secret: this.mfaSecret!, epoch: index * CODE_SECONDS });
  }
}
