import { errorFields } from "../../shared/errors/errorFields";
import { type Say, sayIn } from "../pages/words";
import { happen } from "../workflow/happen";
import { eventOf, MAX_REASON } from "./acts";
import { afterChange } from "./afterChange";
import type { AppParts } from "./parts";
import { type HttpRequest, MAX_SLACK_BYTES, readForm } from "./request";
import { type HttpResponse, plainResponse } from "./response";
import { checkSignature, readClick, type SlackClick } from "./slack";
import { shownRequest, viewOf } from "./visit";

type SlackParts = NonNullable<AppParts["slack"]>;

/**
 * POST: somebody clicked in Slack. Who it was is Slack's word, by signature; which person that is, the directory says by their Slack id.
 * Nothing is answered to whoever sends something that Slack did not sign.
 */
export async function clickInSlack(
  parts: AppParts,
  slack: SlackParts,
  request: HttpRequest,
): Promise<HttpResponse> {
  if (request.body.length > MAX_SLACK_BYTES) return plainResponse(413);
  const secret = await slack.parameters.read(slack.signingSecretParameter);
  const signature = checkSignature(request, secret.trim(), parts.now());
  if (!signature.valid) {
    // The secret may have been changed: the next request reads it anew.
    slack.parameters.forget(slack.signingSecretParameter);
    parts.log.warn("a request for Slack's address is not signed by Slack, or is too old", {});
    return plainResponse(401);
  }
  // Signed, and seen before: somebody sends it again.
  if (!(await parts.table.once(signature.key, signature.until))) return plainResponse(200);
  const form = readForm(request, MAX_SLACK_BYTES);
  const click = "fields" in form ? readClick(form.fields.get("payload")) : undefined;
  // Slack sends other things too, such as what is typed into the field for the reason.
  if (!click) return plainResponse(200);
  if (click.team !== slack.team) return plainResponse(403);
  const text = await act(parts, click);
  if (click.answerAt !== undefined) {
    await slack.answers
      .answer(click.answerAt, { response_type: "ephemeral", replace_original: false, text })
      .catch((error: unknown) => parts.log.warn("Slack did not take an answer", { ...errorFields(error) }));
  }
  return plainResponse(200);
}

/** Lets the click happen. @returns what to tell whoever clicked */
async function act(parts: AppParts, click: SlackClick): Promise<string> {
  const { choice, requestId, level } = click;
  let say: Say = sayIn(parts.language);
  try {
    const directory = await parts.people.lately();
    const person = directory.named(`slack:${click.user}`);
    if (!person) return say("chatNotInDirectory");
    say = sayIn(person.language ?? parts.language);
    if (choice === "deny" && click.reason === "") return say("problemReason");
    if (click.reason.length > MAX_REASON) return say("problemReasonLong");
    const shown = await shownRequest(parts, requestId);
    if (!shown) return say("unknownTitle");
    const visit = { parts, request: NO_REQUEST, fields: new Map<string, string>() };
    if (viewOf(visit, shown).seen !== click.seen) return say("problemChanged");
    const actor = await parts.people.actor(person.id, "slack");
    if (!actor) return say("chatNotInDirectory");
    const outcome = await happen(
      parts.table,
      requestId,
      eventOf(choice, actor, level, click.reason),
      parts.now,
    );
    if ("unknown" in outcome) return say("unknownTitle");
    const about = { request: requestId, person: person.id, choice };
    if ("refused" in outcome) {
      parts.log.info("a choice was refused", { ...about, channel: "slack", why: outcome.refused });
      return say(`refusal.${outcome.refused}`);
    }
    await afterChange(parts, outcome, { ...about, channel: "slack" });
    return say(choice === "approve" ? "chatApproved" : "chatDenied", { request: requestId });
  } catch (error) {
    parts.log.error("a click in Slack could not be carried out", { ...errorFields(error) });
    return say("chatFailed");
  }
}

const NO_REQUEST: HttpRequest = {
  method: "POST",
  path: "/slack",
  query: new URLSearchParams(),
  cookies: new Map(),
  headers: {},
  body: Buffer.alloc(0),
  id: "",
};
