import { BulkheadError } from "../../shared/errors/bulkheadError";
import { composeOpener } from "../engine/compose";
import { takeIn } from "../engine/takeIn";
import { intakeSettingsOf, readApprovalSettings } from "../settings";

const settings = readApprovalSettings();
const parts = composeOpener(settings, "approval-intake");
const intakeSettings = intakeSettingsOf(settings);

/** Takes in denied calls: events of EventBridge, one at a time. Fails when it should be tried again; a repetition does nothing twice. */
export async function handler(event: unknown): Promise<void> {
  const taken = await takeIn(parts, intakeSettings, event);
  const { result } = taken;
  const eventId = "requestId" in taken ? taken.requestId : undefined;
  // Reasons hold what callers wrote into their calls, so only the results of this program are logged.
  parts.log.info("a denied call was taken in", { result, request: eventId });
  if (result === "unknownRequester") {
    throw new BulkheadError(
      "unknown-requester",
      "whoever made a denied call is not in the directory: add the ARN of the user to their identities there, and the call can be made again",
    );
  }
}
