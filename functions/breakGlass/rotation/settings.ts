import * as z from "zod";
import { type Environment, requiredVariable } from "../../shared/environment";
import { BulkheadError } from "../../shared/errors/bulkheadError";
import { PASSWORD_LENGTH } from "../custody/password";
import type { RotatedUser } from "./run";

/** What the function's environment says. Set by the component EmergencyPasswordRotation. */
export interface RotationSettings {
  cell: string;
  region: string;
  peerCell: string;
  peerRegion: string;
  activationTable: string;
  peerActivationTable: string;
  evidenceTable: string;
  peerEvidenceTable: string;
  /** Region of IAM's control plane (fact 9). */
  iamRegion: string;
  topicArn: string;
  users: RotatedUser[];
  maximumUseHours: number;
  passwordLength: number;
}

const usersSchema = z.array(
  z.object({
    userName: z.string().min(1),
    custodian: z.string().min(1),
    keyParameter: z.string().min(1),
    keySha256: z.string().regex(/^[0-9a-f]{64}$/),
  }),
);

/**
 * Reads and checks the environment.
 * @throws BulkheadError `missing-variable`, `wrong-variable`
 */
export function readRotationSettings(environment: Environment): RotationSettings {
  const variable = (name: string) => requiredVariable(environment, name);
  const number = (name: string, minimum: number, maximum: number) => {
    const value = Number(variable(name));
    if (!(value >= minimum && value <= maximum)) {
      throw new BulkheadError("wrong-variable", `${name} is a number from ${minimum} to ${maximum}`);
    }
    return value;
  };
  return {
    cell: variable("BULKHEAD_CELL"),
    region: variable("AWS_REGION"),
    peerCell: variable("PEER_CELL"),
    peerRegion: variable("PEER_REGION"),
    activationTable: variable("ACTIVATION_TABLE"),
    peerActivationTable: variable("PEER_ACTIVATION_TABLE"),
    evidenceTable: variable("EVIDENCE_TABLE"),
    peerEvidenceTable: variable("PEER_EVIDENCE_TABLE"),
    iamRegion: variable("IAM_REGION"),
    topicArn: variable("ALERT_TOPIC_ARN"),
    users: parseUsers(variable("EMERGENCY_USERS")),
    maximumUseHours: number("MAXIMUM_USE_HOURS", 1, 24),
    passwordLength: number("PASSWORD_LENGTH", PASSWORD_LENGTH.minimum, PASSWORD_LENGTH.maximum),
  };
}

function parseUsers(text: string): RotatedUser[] {
  try {
    return usersSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new BulkheadError("wrong-variable", "EMERGENCY_USERS is a JSON list of users", { cause });
  }
}
