/** IAM and custodians in memory, and ways to cut a flow off between any two calls. */
import type { CustodianKey } from "../../../../functions/breakGlass/custody/custodianKey";
import { CustodyError } from "../../../../functions/breakGlass/custody/custodyError";
import type {
  EnabledDevice,
  Identity,
  NewTotpDevice,
} from "../../../../functions/breakGlass/custody/identity";
import type { CustodyTools } from "../../../../functions/breakGlass/custody/rotate";
import { Secret } from "../../../../functions/breakGlass/custody/secret";
import { type EvidenceSide, union } from "../../../../functions/breakGlass/records/bothCells";
import { InMemoryEvidenceStore } from "../../../../functions/breakGlass/records/inMemoryEvidenceStore";
import type {
  EvidenceKind,
  EvidenceOf,
  EvidenceRecord,
} from "../../../../functions/breakGlass/records/record";
import { type EvidenceStore, EvidenceUnavailable } from "../../../../functions/breakGlass/records/store";

export const USER = "breakglass-admin-1";
export const OTHER = "breakglass-admin-2";
export const ALICE = "alice@example.com";
export const BOB = "bob@example.com";
export const CAROL = "carol@example.com";

const MESSAGE = "-----BEGIN PGP MESSAGE-----";

/** A custodian whose cipher is quick: for tests that open thousands of messages. */
export class FakeCustodian {
  private static serial = 0;
  private readonly messages = new Map<string, string>();
  readonly key: CustodianKey;

  constructor(
    readonly address: string,
    fingerprint = Buffer.from(address).toString("hex").toUpperCase().padEnd(40, "0").slice(0, 40),
  ) {
    this.key = {
      fingerprint,
      userIds: [address],
      encrypt: async (secret) => {
        const message = `${MESSAGE} ${FakeCustodian.serial++}`;
        this.messages.set(message, secret.reveal());
        return message;
      },
    };
  }

  /** The password, if the message is for this custodian. */
  open(message: string): string | undefined {
    return this.messages.get(message);
  }
}

/** Codes of a device: the n-th is made from its seed. */
export const codeOf = (seed: string, step: number): string => {
  let sum = step;
  for (const letter of seed) sum = (sum * 31 + letter.charCodeAt(0)) % 1_000_000;
  return String(sum).padStart(6, "0");
};

interface FakeDevice {
  seed: string;
  userName?: string;
  enabledAt: string;
}

/** IAM as custody sees it. Knows the seeds and passwords, so that a test can look for them elsewhere. */
export class FakeIam implements Identity {
  readonly passwords = new Map<string, string>();
  readonly store = new Map<string, FakeDevice>();
  /** Every secret that there ever was. */
  readonly secrets: string[] = [];
  private seeds = 0;

  constructor(
    passwords: Record<string, string> = { [USER]: "made-at-deployment-1", [OTHER]: "made-at-deployment-2" },
  ) {
    for (const [user, password] of Object.entries(passwords)) this.passwords.set(user, password);
  }

  async checkPassword(userName: string): Promise<void> {
    if (!this.passwords.has(userName)) throw new CustodyError("no-password", `no password: ${userName}`);
  }

  async setPassword(userName: string, password: Secret): Promise<void> {
    this.secrets.push(password.reveal());
    this.passwords.set(userName, password.reveal());
  }

  async devices(userName: string): Promise<EnabledDevice[]> {
    return [...this.store].flatMap(([serialNumber, device]) =>
      device.userName === userName ? [{ serialNumber, enabledAt: device.enabledAt }] : [],
    );
  }

  async unassignedDevices(): Promise<string[]> {
    return [...this.store].flatMap(([serialNumber, device]) => (device.userName ? [] : [serialNumber]));
  }

  async createTotpDevice(name: string, path: string): Promise<NewTotpDevice> {
    const serialNumber = `arn:aws:iam::222222222222:mfa${path}${name}`;
    if (this.store.has(serialNumber)) throw new CustodyError("device-exists", "exists");
    const seed = `SEED${String(this.seeds++).padStart(4, "0")}ABCDEFGHIJKLMNOPQRSTUVWX`;
    this.secrets.push(seed);
    this.store.set(serialNumber, { seed, enabledAt: "" });
    return { serialNumber, seed: new Secret(Buffer.from(seed)) };
  }

  async enableTotpDevice(
    userName: string,
    serialNumber: string,
    codes: readonly [string, string],
  ): Promise<void> {
    const device = this.store.get(serialNumber);
    if (!device) throw new CustodyError("no-such-user", "no such device");
    if (codes[0] !== codeOf(device.seed, 1) || codes[1] !== codeOf(device.seed, 2)) {
      throw new CustodyError("wrong-codes", "wrong");
    }
    Object.assign(device, { userName, enabledAt: "2026-01-01T00:00:00.000Z" });
  }

  async deactivateDevice(_userName: string, serialNumber: string): Promise<void> {
    const device = this.store.get(serialNumber);
    if (!device) return;
    delete device.userName;
    if (serialNumber.includes(":u2f/")) this.store.delete(serialNumber);
  }

  async deleteTotpDevice(serialNumber: string): Promise<void> {
    if (this.store.get(serialNumber)?.userName) throw new CustodyError("iam-refused", "assigned");
    this.store.delete(serialNumber);
  }

  /** Puts an enabled device there. */
  give(userName: string, name: string, kind: "mfa" | "u2f" = "mfa"): string {
    const place = kind === "u2f" ? `u2f/user/break-glass/${userName}/${name}` : `mfa/break-glass/${name}`;
    const serialNumber = `arn:aws:iam::222222222222:${place}`;
    this.store.set(serialNumber, { seed: "GIVEN", userName, enabledAt: "2026-01-01T00:00:00.000Z" });
    return serialNumber;
  }
}

/** Stands for the end of the process. */
export class Crash extends Error {}

/** What happens to a call: `before` and `after` it the process ends; `lost` and `unanswered` leave it alive without an answer. */
export type Fault = "before" | "after" | "lost" | "unanswered";

/** Numbers the calls of all ports of one process and lets one of them go wrong. */
export class Faults {
  calls = 0;
  private dead = false;

  constructor(
    private readonly at?: number,
    private readonly fault?: Fault,
    /** Runs after every call. */
    private readonly watch: () => void | Promise<void> = () => {},
    /** Runs before every call: where another process can come between. */
    private readonly yields: () => Promise<void> = async () => {},
  ) {}

  /** The same object, its calls numbered. */
  wrap<T extends object>(target: T, unavailable: () => Error): T {
    return new Proxy(target, {
      get: (object, key) => {
        const method = Reflect.get(object, key);
        if (typeof method !== "function") return method;
        return async (...args: unknown[]) => {
          await this.yields();
          const call = this.calls++;
          if (this.dead) throw new Crash("dead");
          const fault = call === this.at ? this.fault : undefined;
          if (fault === "before") {
            this.dead = true;
            throw new Crash("before");
          }
          if (fault === "lost") throw unavailable();
          const result = await method.apply(object, args);
          await this.watch();
          if (fault === "after") {
            this.dead = true;
            throw new Crash("after");
          }
          if (fault === "unanswered") throw unavailable();
          return result;
        };
      },
    });
  }

  identity(iam: FakeIam): Identity {
    return this.wrap<Identity>(iam, () => new CustodyError("iam-unavailable", "IAM does not answer."));
  }

  side(cell: string, store: EvidenceStore): EvidenceSide {
    return {
      cell,
      region: cell === "prod" ? "us-east-1" : "us-west-2",
      store: this.wrap(store, () => new EvidenceUnavailable(`${cell} does not answer`)),
    };
  }
}

/** A region that does not answer. */
export class LostStore implements EvidenceStore {
  async append(_record: EvidenceRecord): Promise<void> {
    throw new EvidenceUnavailable("the region is lost");
  }
  async list<Kind extends EvidenceKind>(_kind: Kind): Promise<EvidenceOf<Kind>[]> {
    throw new EvidenceUnavailable("the region is lost");
  }
}

/** Everything that outlives a process, and a clock. */
export class World {
  readonly iam = new FakeIam();
  readonly east: EvidenceStore;
  readonly west: EvidenceStore;
  private ids = 0;
  private time = Date.parse("2026-03-01T00:00:00.000Z");

  constructor(stores: { east?: EvidenceStore; west?: EvidenceStore } = {}) {
    this.east = stores.east ?? new InMemoryEvidenceStore();
    this.west = stores.west ?? new InMemoryEvidenceStore();
  }

  /** The records of both cells together. */
  async records<Kind extends EvidenceKind>(kind: Kind): Promise<EvidenceOf<Kind>[]> {
    return union([...(await this.east.list(kind)), ...(await this.west.list(kind))]);
  }

  /** Every look at the clock takes a millisecond. */
  now = () => new Date(this.time++);

  advance(milliseconds: number): void {
    this.time += milliseconds;
  }

  tools(faults = new Faults()): CustodyTools {
    return {
      identity: faults.identity(this.iam),
      sides: [faults.side("prod", this.east), faults.side("dr", this.west)],
      by: "arn:aws:iam::222222222222:user/operator",
      now: this.now,
      newId: () => `id-${this.ids++}`,
      pause: async () => {},
    };
  }
}

/** The error that a promise is rejected with. */
export async function failure(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error("it did not fail");
}
