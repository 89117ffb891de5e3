import { createCount } from "../../shared/logging/metrics";
import { composeOpener } from "../engine/compose";
import { takeIn } from "../engine/takeIn";
import { intakeSettingsOf, readApprovalSettings } from "../settings";

const settings = readApprovalSettings();
const parts = composeOpener(settings, "approval-intake");
const intakeSettings = intakeSettingsOf(settings);
const count = createCount();

/** Takes in denied calls: events of EventBridge, one at a time. Fails when it should be tried again; a repetition does nothing twice. */
export async function handler(event: unknown): Promise<void> {
  const taken = await takeIn(parts, intakeSettings, event);
  const { result } = taken;
  // Reasons hold what callers wrote into their calls, so only the results of this program are logged.
  parts.log.info("a denied call was taken in", {
    result,
    ...("requestId" in taken && { request: taken.requestId }),
  });
  // `unknownRequester`: somebody who could ask for approval is missing from the directory.
  count.add("ApprovalTakenIn", { result });
}
