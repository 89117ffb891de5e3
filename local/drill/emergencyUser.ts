import { generateSync } from "otplib";
import { type ConsoleSession, SignInError, signIn } from "../aws/console";
import { waitFor } from "../waitFor";

/** Seconds that a TOTP code is good for (RFC 6238, section 5.2). */
const CODE_SECONDS = 30;

const currentCode = () => Math.floor(Date.now() / 1000 / CODE_SECONDS);

/** A TOTP device in somebody's hands. In memory only. */
class Device {
  lastCode = 0;

  constructor(private readonly seed: string) {}

  code(index: number): string {
    return generateSync({ secret: this.seed, epoch: index * CODE_SECONDS });
  }
}

/** An emergency user of the drill, with what its people hold: the opened password and the TOTP devices. In memory only. */
export class EmergencyUser {
  private readonly devices: Device[] = [];
  private waited = 0;
  /** Every password and seed that these people have ever seen: to look for where none may stand. */
  readonly secrets: string[];

  constructor(
    readonly name: string,
    private readonly accountId: string,
    private password: string,
  ) {
    this.secrets = [password];
  }

  /** Milliseconds that the last sign-in waited for a device's next code. */
  get waitedMs(): number {
    return this.waited;
  }

  /** The custodian has opened a new password. */
  changePassword(password: string): void {
    this.password = password;
    this.secrets.push(password);
  }

  /** Somebody scans the seed of a new device, and reads two codes that follow each other. */
  addDevice(seed: string): readonly [string, string] {
    const device = new Device(seed);
    this.devices.push(device);
    this.secrets.push(seed);
    device.lastCode = currentCode();
    return [device.code(device.lastCode - 1), device.code(device.lastCode)];
  }

  /**
   * Signs in at a region's address, with the second factor if a device is enrolled.
   * @param url the local AWS, or the region proxy in front of it
   * @param password instead of the one that was opened last
   * @throws SignInError
   */
  async signIn(
    url: string,
    region: string,
    { signal, password = this.password }: { signal?: AbortSignal; password?: string } = {},
  ): Promise<ConsoleSession> {
    return signIn(url, {
      accountId: this.accountId,
      userName: this.name,
      password,
      region,
      ...(this.devices.length && { mfaCode: await this.freshCode(signal) }),
    });
  }

  /**
   * Tries a region's sign-in address without spending a code: with one that was used already.
   * @returns what the address said; undefined when it let the user in
   */
  async refusalAt(url: string, region: string, password = this.password): Promise<SignInError | undefined> {
    const { name: userName, accountId } = this;
    const [device] = this.devices;
    try {
      await signIn(url, { accountId, userName, password, region, mfaCode: device!.code(device!.lastCode) });
      return undefined;
    } catch (error) {
      if (error instanceof SignInError) return error;
      throw error;
    }
  }

  /**
   * A code that was not used yet, of whichever device has one first. AWS takes each code once, and the neighbouring ones too, for devices whose
   * clock is off: so the code that comes next is good already.
   */
  private async freshCode(signal: AbortSignal | undefined): Promise<string> {
    const started = performance.now();
    const device = await waitFor(
      "a new code of a TOTP device",
      async () => this.devices.find(({ lastCode }) => currentCode() + 1 > lastCode),
      { timeoutMs: 2 * CODE_SECONDS * 1000, intervalMs: 100, signal },
    );
    this.waited = performance.now() - started;
    device.lastCode = Math.max(device.lastCode + 1, currentCode());
    return device.code(device.lastCode);
  }
}
