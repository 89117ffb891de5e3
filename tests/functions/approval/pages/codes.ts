import type { ApprovalRequest } from "../../../../functions/approval/workflow/request";
import { STATES } from "../../../../functions/approval/workflow/request";
import type { Refusal } from "../../../../functions/approval/workflow/transition";

/** Every refusal; the type makes the list complete. */
const REFUSALS: Record<Refusal, true> = {
  alreadyHandled: true,
  tooLate: true,
  notTheRequester: true,
  ownRequest: true,
  notAnApprover: true,
  approvedAlready: true,
  deactivated: true,
  notDue: true,
};
const ALL_FAILURES: Record<NonNullable<ApprovalRequest["failure"]>, true> = {
  snapshotFailed: true,
  notVerified: true,
  changed: true,
  callFailed: true,
  outcomeUnknown: true,
};

/** Keys of the dictionaries that pages make from codes. */
export const STATES_AND_REFUSALS = [
  ...STATES.map((state) => `state.${state}`),
  ...Object.keys(REFUSALS).map((refusal) => `refusal.${refusal}`),
];
export const FAILURES = Object.keys(ALL_FAILURES);
