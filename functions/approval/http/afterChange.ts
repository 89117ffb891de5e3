import { errorFields } from "../../shared/errors/errorFields";
import type { ApprovalRequest } from "../workflow/request";
import type { AppParts } from "./parts";

/** Logs what took effect and tells the engine. It has taken effect whatever happens here: the engine finds it in the table at its next look. */
export async function afterChange(
  { engine, log }: Pick<AppParts, "engine" | "log">,
  { before, after }: { readonly before: ApprovalRequest; readonly after: ApprovalRequest },
  about: {
    readonly request: string;
    readonly person: string;
    readonly choice: string;
    readonly channel: string;
  },
): Promise<void> {
  log.info("a choice took effect", { ...about, from: before.state, to: after.state, version: after.version });
  try {
    await engine.changed(after.id, after.version);
  } catch (error) {
    log.error("the engine could not be told of a change; its next look at the table finds it", {
      ...about,
      ...errorFields(error),
    });
  }
}
