import { createHash } from "node:crypto";
import { BulkheadError } from "../../shared/errors/bulkheadError";
import { errorFields } from "../../shared/errors/errorFields";
import type { Log } from "../../shared/logging/logger";
import type { Count } from "../../shared/logging/metrics";
import type { NoticeInput } from "../../shared/notice/notice";
import { departure } from "../custody/currentPasswords";
import { type CustodianKey, readCustodianKey } from "../custody/custodianKey";
import { CustodyError } from "../custody/custodyError";
import { groupedFingerprint } from "../custody/fingerprint";
import { type CustodyTools, type RotationResult, rotatePassword } from "../custody/rotate";
import { readEverywhere } from "../records/bothCells";
import { EvidenceUnavailable } from "../records/store";
import { type DueUser, dueUsers } from "./due";
import { type RepairResult, repairEvidence } from "./repair";

/** An emergency user whose password is changed after a use. */
export interface RotatedUser {
  userName: string;
  custodian: string;
  /** Name of the SSM parameter with the custodian's PGP public key. */
  keyParameter: string;
  /** SHA-256 of the parameter's value as it was deployed, in hex. */
  keySha256: string;
}

/** What a run works with. */
export interface RotationRunTools extends Omit<CustodyTools, "now"> {
  now: () => Date;
  /** The own cell's name. */
  cell: string;
  region: string;
  users: readonly RotatedUser[];
  /** Hours after which a use that was never closed counts as over. */
  maximumUseHours: number;
  /** Length of new passwords in characters. */
  passwordLength: number;
  /** Whether the cell is the acting one, just now. @returns why not; undefined when it is */
  standby: () => Promise<string | undefined>;
  /** A parameter's value. */
  readParameter: (name: string) => Promise<string>;
  /** Tells the topic. */
  publish: (notice: NoticeInput) => Promise<void>;
  log: Log;
  count: Count;
}

/** What became of one user. */
export interface UserOutcome {
  userName: string;
  /**
   * `rotated`: done. `waiting`: the use may be going on. `paused`: IAM is out of reach, or the cell stopped being the acting one; the next
   * run goes on. `unknown`: IAM did not say whether the password was set; the next run sets another. `failed`: somebody has to look.
   */
  outcome: "rotated" | "waiting" | "paused" | "unknown" | "failed";
  reason?: string;
}

/** What a run returns. Never a secret. */
export interface RotationRunResult {
  acted: boolean;
  /** Why the cell did not act. */
  reason?: string;
  repair?: RepairResult;
  users: UserOutcome[];
}

const METRICS: Record<UserOutcome["outcome"], string> = {
  rotated: "EmergencyPasswordRotated",
  waiting: "EmergencyPasswordRotationWaiting",
  paused: "EmergencyPasswordRotationPaused",
  unknown: "EmergencyPasswordRotationUnknown",
  failed: "EmergencyPasswordRotationFailed",
};

/**
 * One hourly run: repairs the evidence of both cells, then gives a new password to each emergency user that was used and is not in use any
 * more. Only in the acting cell.
 *
 * @throws BulkheadError `rotation-failed` after all users were tried, so that the function's alarm tells
 */
export async function runRotation(tools: RotationRunTools): Promise<RotationRunResult> {
  const { log, count, sides } = tools;
  const reason = await tools.standby();
  if (reason !== undefined) {
    log.info("standby", { reason });
    return { acted: false, reason, users: [] };
  }
  const repair = await repairEvidence(sides);
  log.info("evidence compared", { added: repair.added, unanswered: repair.unanswered });
  const [opened, closed, passwords] = await Promise.all([
    readEverywhere(sides, "useOpened"),
    readEverywhere(sides, "useClosed"),
    readEverywhere(sides, "passwordIssued"),
  ]);
  const due = dueUsers(
    { opened: opened.records, closed: closed.records, passwords: passwords.records },
    tools.maximumUseHours,
    tools.now(),
  );
  const users: UserOutcome[] = [];
  for (const user of tools.users) {
    const demanded = due.find(({ userName }) => userName === user.userName);
    if (!demanded) continue;
    const outcome = await rotateUser(tools, user, demanded);
    users.push(outcome);
    count.add(METRICS[outcome.outcome], { user: user.userName });
    log[outcome.outcome === "failed" ? "error" : "info"]("password rotation", { ...outcome });
  }
  const failed = users.filter(({ outcome }) => outcome === "failed").map(({ userName }) => userName);
  if (failed.length) {
    throw new BulkheadError(
      "rotation-failed",
      `the password of ${failed.join(", ")} is due to be changed and was not, or nobody could be told: the lines before say why. Change it with: bulkhead break-glass rotate`,
    );
  }
  return { acted: true, repair, users };
}

async function rotateUser(tools: RotationRunTools, user: RotatedUser, due: DueUser): Promise<UserOutcome> {
  const { userName, custodian } = user;
  if (due.waitUntil) {
    return {
      userName,
      outcome: "waiting",
      reason: `a use may be going on until ${due.waitUntil} at the latest`,
    };
  }
  let rotation: RotationResult;
  try {
    await refuseDeparted(tools, user);
    rotation = await rotatePassword(tools, {
      userName,
      custodian,
      key: await readKey(tools, user),
      cause: "afterUse",
      length: tools.passwordLength,
      requiredCell: tools.cell,
      beforeChange: () => stillActing(tools),
    });
  } catch (error) {
    if (error instanceof CustodyError || error instanceof EvidenceUnavailable) {
      const again = ["iam-unavailable", "iam-refused", "stopped", "not-recorded", "evidence-unavailable"];
      return { userName, outcome: again.includes(error.code) ? "paused" : "failed", reason: error.message };
    }
    tools.log.error("password rotation", { userName, ...errorFields(error) });
    return {
      userName,
      outcome: "failed",
      reason: error instanceof BulkheadError ? error.message : "see the log",
    };
  }
  if (rotation.outcome === "unknown") {
    return { userName, outcome: "unknown", reason: "IAM did not say whether the new password was set" };
  }
  try {
    await tools.publish(notice(tools, rotation, due));
  } catch (error) {
    tools.log.error("the topic was not told", { userName, ...errorFields(error) });
    return { userName, outcome: "failed", reason: "changed, but the topic could not be told" };
  }
  return { userName, outcome: "rotated" };
}

/** @throws CustodyError `stopped` when the cell is not the acting one any more, or that cannot be told */
async function stillActing({ standby, log }: RotationRunTools): Promise<void> {
  let reason: string | undefined;
  try {
    reason = await standby();
  } catch (error) {
    log.warn("whether the cell acts cannot be told", { ...errorFields(error) });
    reason = "whether it is the acting one cannot be told just now";
  }
  if (reason !== undefined) throw new CustodyError("stopped", `The cell does not act any more: ${reason}.`);
}

/** @throws CustodyError `pgp-key`; BulkheadError when the parameter cannot be read */
async function readKey(
  tools: RotationRunTools,
  { custodian, keyParameter, keySha256 }: RotatedUser,
): Promise<CustodianKey> {
  const value = await tools.readParameter(keyParameter);
  if (createHash("sha256").update(value).digest("hex") !== keySha256) {
    throw new CustodyError(
      "pgp-key",
      `The parameter ${keyParameter} does not hold the key that was deployed. If nobody is running pulumi up right now, find out who changed it (CloudTrail, PutParameter); pulumi up --refresh puts the right one back. Nothing was changed.`,
    );
  }
  return readCustodianKey(value, custodian, tools.now());
}

/** @throws CustodyError `custodian-left`: the configuration is behind, and the leaver would get the new password. */
async function refuseDeparted(tools: RotationRunTools, { userName, custodian }: RotatedUser): Promise<void> {
  const [left, passwords] = await Promise.all([
    readEverywhere(tools.sides, "custodianLeft"),
    readEverywhere(tools.sides, "passwordIssued"),
  ]);
  const record = departure(left.records, passwords.records, userName, custodian);
  if (!record) return;
  throw new CustodyError(
    "custodian-left",
    `${custodian} left on ${record.at}, and the configuration still names them for ${userName}: name ${record.successor} in bulkhead:custodians, with their key in bulkhead:custodianPgpKeys, and run pulumi up in both cells`,
  );
}

function notice(tools: RotationRunTools, rotation: RotationResult, due: DueUser): NoticeInput {
  const lacking = rotation.stored.filter(({ recorded }) => !recorded);
  return {
    title: `New password of ${rotation.userName} waits for ${rotation.custodian}`,
    severity: lacking.length ? "warning" : "info",
    text: [
      `${rotation.userName} was used, so its password was changed by Bulkhead's rotation function. The alert about UpdateLoginProfile by that function at this time is expected.`,
      `${rotation.custodian} alone can open the new one. Fetch it with: bulkhead break-glass password --user ${rotation.userName}`,
      "Replace every stored copy of the old one: paper, USB drive, safe.",
      ...lacking.map(
        ({ cell, region }) => `${cell} (${region}) did not take its copy; the next hourly run adds it.`,
      ),
    ].join("\n"),
    lines: [
      { label: "User", value: rotation.userName },
      { label: "Custodian", value: rotation.custodian },
      { label: "Encrypted to key", value: groupedFingerprint(rotation.keyFingerprint) },
      { label: "Used since", value: due.usedAt },
      { label: "Changed at", value: rotation.setAt ?? "" },
      {
        label: "Kept in",
        value: rotation.stored
          .filter(({ recorded }) => recorded)
          .map(({ cell }) => cell)
          .join(", "),
      },
    ],
    region: tools.region,
    time: rotation.setAt ?? "",
  };
}
