import {
  appendEverywhere,
  type EvidenceSide,
  type EvidenceWrite,
  readEverywhere,
} from "../records/bothCells";
import { type EvidenceOf, recordId } from "../records/record";
import { EvidenceUnavailable } from "../records/store";
import { finishedRotations } from "./currentPasswords";
import type { CustodianKey } from "./custodianKey";
import { CustodyError } from "./custodyError";
import type { Identity } from "./identity";
import { generatePassword } from "./password";
import type { Secret } from "./secret";

type PasswordRecord = EvidenceOf<"passwordIssued">;

/** What a rotation works with, apart from the user. */
export interface CustodyTools {
  identity: Identity;
  /** The evidence of both cells. */
  sides: readonly EvidenceSide[];
  /** Who does it: an ARN, or the name of the function. */
  by: string;
  /** @default the system's clock */
  now?: () => Date;
  /** A new unique text. */
  newId: () => string;
  /** Waits so many milliseconds before something is tried again. */
  pause: (milliseconds: number) => Promise<void>;
}

/** One rotation. */
export interface RotationRequest {
  userName: string;
  custodian: string;
  key: CustodianKey;
  cause: PasswordRecord["cause"];
  /** Characters, 32 to 128. @default 40 */
  length?: number;
  /** Name of a cell whose table has to take the prepared password. @default any one of them */
  requiredCell?: string;
  /** Is asked right before each attempt to set the password; throws to stop. */
  beforeChange?: () => Promise<void>;
}

/** What became of a rotation. */
export interface RotationResult {
  userName: string;
  custodian: string;
  keyFingerprint: string;
  rotationId: string;
  cause: PasswordRecord["cause"];
  /**
   * `effective`: the new password is valid. `unknown`: IAM did not say whether it was set, so that either the new or the one before is valid;
   * both can be opened.
   */
  outcome: "effective" | "unknown";
  /** When it was set, ISO 8601 in UTC. Undefined when that is not known. */
  setAt?: string;
  /** What became of the ciphertext, cell by cell. */
  stored: EvidenceWrite[];
  /** Whether it could be recorded that the password is valid. Without it, it is offered as a password that may be. */
  confirmed: boolean;
}

/** A prepared password is set within this time or not at all: later rotations count on it. See finishedRotations. */
const CHANGE_WITHIN_MS = 2 * 60_000;
const ATTEMPTS = 3;
const PAUSE_MS = 1_000;

/**
 * Gives a user a new password that only the custodian can open. The ciphertext is recorded before anything changes, so wherever this is cut
 * off, the valid password is among those that `currentPasswords` offers.
 *
 * @throws CustodyError, EvidenceUnavailable when the password is certainly the one that it was.
 */
export async function rotatePassword(tools: CustodyTools, request: RotationRequest): Promise<RotationResult> {
  const { sides, now = () => new Date() } = tools;
  const { userName } = request;
  // IAM first: while it is out of reach, no prepared passwords pile up.
  await tools.identity.checkPassword(userName);
  const { records } = await readEverywhere(sides, "passwordIssued");
  const password = generatePassword(request.length);
  try {
    const preparedAt = now();
    const rotation = new Rotation(tools, request, {
      rotationId: tools.newId(),
      ciphertext: await request.key.encrypt(password),
      replaces: finishedRotations(records, userName, preparedAt),
    });
    await rotation.prepare(preparedAt);
    return await rotation.carryOut(password, preparedAt);
  } finally {
    password.wipe();
  }
}

class Rotation {
  private stored: EvidenceWrite[] = [];

  constructor(
    private readonly tools: CustodyTools,
    private readonly request: RotationRequest,
    private readonly fields: { rotationId: string; ciphertext: string; replaces: string[] },
  ) {}

  private record(state: PasswordRecord["state"], at: Date): PasswordRecord {
    const { userName, custodian, cause, key } = this.request;
    const { rotationId, ciphertext, replaces } = this.fields;
    const time = at.toISOString();
    return {
      kind: "passwordIssued",
      id: recordId(time, `${rotationId}#${state}`),
      at: time,
      by: this.tools.by,
      userName,
      rotationId,
      state,
      replaces,
      custodian,
      keyFingerprint: key.fingerprint,
      ciphertext,
      cause,
    };
  }

  private now(): Date {
    return this.tools.now?.() ?? new Date();
  }

  /** @throws CustodyError, EvidenceUnavailable when the ciphertext is not kept where it has to be: nothing was changed. */
  async prepare(at: Date): Promise<void> {
    const { requiredCell, userName } = this.request;
    this.stored = await appendEverywhere(this.tools.sides, this.record("prepared", at));
    const missing = this.stored.find(({ cell, recorded }) => cell === requiredCell && !recorded);
    if (!missing) return;
    await this.abandon();
    throw new CustodyError(
      "not-recorded",
      `The password of ${userName} was not changed: the new one could not be recorded in ${missing.cell} (${missing.region}): ${missing.error}`,
    );
  }

  async carryOut(password: Secret, preparedAt: Date): Promise<RotationResult> {
    const { identity, pause } = this.tools;
    const { userName, beforeChange } = this.request;
    const deadline = preparedAt.getTime() + CHANGE_WITHIN_MS;
    let unanswered = false;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      if (attempt > 1) await pause(PAUSE_MS * attempt);
      let sentAt: Date | undefined;
      try {
        await beforeChange?.();
        sentAt = this.now();
        if (sentAt.getTime() > deadline) {
          throw new CustodyError(
            "stopped",
            `The password of ${userName} was not changed: this run was held up for more than two minutes. Run it again.`,
          );
        }
        await identity.setPassword(userName, password);
        // The time before the change: whoever signs in after it, with either password, makes a rotation due again.
        return await this.confirm(sentAt);
      } catch (error) {
        // Only a refusal by name says for certain that nothing was set.
        if (sentAt && !(error instanceof CustodyError && error.code !== "iam-unavailable")) {
          unanswered = true;
          continue;
        }
        // After an attempt without an answer, a refusal (of a password that was used before, say) can mean that it was set.
        if (unanswered) break;
        await this.abandon();
        throw error;
      }
    }
    return this.result("unknown");
  }

  private async confirm(at: Date): Promise<RotationResult> {
    const record = this.record("effective", at);
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      if (attempt > 1) await this.tools.pause(PAUSE_MS * attempt);
      try {
        const writes = await appendEverywhere(this.tools.sides, record);
        this.stored = this.stored.map((write, index) => (write.recorded ? write : (writes[index] ?? write)));
        return { ...this.result("effective"), setAt: record.at, confirmed: true };
      } catch (error) {
        if (!(error instanceof EvidenceUnavailable)) throw error;
      }
    }
    return { ...this.result("effective"), setAt: record.at };
  }

  /** Notes that the password was certainly not set. Without the note it is offered in vain, which does no harm. */
  private async abandon(): Promise<void> {
    try {
      await appendEverywhere(this.tools.sides, this.record("abandoned", this.now()));
    } catch (error) {
      if (!(error instanceof EvidenceUnavailable)) throw error;
    }
  }

  private result(outcome: RotationResult["outcome"]): RotationResult {
    const { userName, custodian, key, cause } = this.request;
    return {
      userName,
      custodian,
      keyFingerprint: key.fingerprint,
      rotationId: this.fields.rotationId,
      cause,
      outcome,
      stored: this.stored,
      confirmed: false,
    };
  }
}
