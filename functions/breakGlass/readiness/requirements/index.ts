import type { Requirement } from "../requirement";
import { DEVICE_REQUIREMENTS } from "./devices";
import { EVIDENCE_REQUIREMENTS } from "./evidence";
import { MONITORING_REQUIREMENTS } from "./monitoring";
import { ORGANIZATION_REQUIREMENTS } from "./organization";
import { PASSWORD_REQUIREMENTS } from "./password";
import { PERMISSION_REQUIREMENTS } from "./permissions";
import { REGION_REQUIREMENTS } from "./regions";
import { USER_REQUIREMENTS } from "./users";

/** Every requirement of emergency access, in the order in which they are shown. */
export const REQUIREMENTS: readonly Requirement[] = [
  ...USER_REQUIREMENTS,
  ...PASSWORD_REQUIREMENTS,
  ...DEVICE_REQUIREMENTS,
  ...PERMISSION_REQUIREMENTS,
  ...ORGANIZATION_REQUIREMENTS,
  ...EVIDENCE_REQUIREMENTS,
  ...MONITORING_REQUIREMENTS,
  ...REGION_REQUIREMENTS,
];
