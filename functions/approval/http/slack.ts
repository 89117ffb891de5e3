/** Acting from Slack: what Slack signs, and what it says that somebody clicked. */
import { createHash, createHmac } from "node:crypto";
import * as z from "zod";
import { sameHash } from "../links/secret";
import type { HttpRequest } from "./request";

/** How old a request of Slack may be, in milliseconds, either way. */
const WINDOW = 5 * 60_000;

/** Whether Slack signed the request, and when it may be forgotten. */
export type SlackSignature =
  | { readonly valid: false }
  | { readonly valid: true; readonly key: string; readonly until: number };

/**
 * Checks Slack's signature, version v0: HMAC-SHA256 of `v0:TIMESTAMP:BODY` with the app's signing secret, of a time not long ago.
 * @param now milliseconds since 1970
 */
export function checkSignature(
  { headers, body }: Pick<HttpRequest, "headers" | "body">,
  secret: string,
  now: number,
): SlackSignature {
  const timestamp = headers["x-slack-request-timestamp"] ?? "";
  const signature = /^v0=([0-9a-f]{64})$/.exec(headers["x-slack-signature"] ?? "")?.[1];
  if (!/^\d{1,12}$/.test(timestamp) || signature === undefined || secret === "") return { valid: false };
  const at = Number(timestamp) * 1_000;
  if (Math.abs(now - at) > WINDOW) return { valid: false };
  const own = createHmac("sha256", secret).update(`v0:${timestamp}:`).update(body).digest("hex");
  if (!sameHash(own, signature)) return { valid: false };
  return {
    valid: true,
    key: createHash("sha256").update(`slack:${signature}`).digest("hex"),
    until: at + 2 * WINDOW,
  };
}

const actionSchema = z.object({
  type: z.literal("block_actions"),
  team: z.object({ id: z.string() }),
  user: z.object({ id: z.string().regex(/^[UW][A-Z0-9]{2,20}$/) }),
  actions: z
    .array(z.object({ action_id: z.enum(["approve", "deny"]), value: z.string().max(200) }))
    .length(1),
  state: z
    .object({
      values: z.record(
        z.string(),
        z.record(z.string(), z.object({ value: z.string().max(3_000).nullish() })),
      ),
    })
    .optional(),
  response_url: z.url().optional(),
});

/** Names of the message's field for the reason; see the message. */
export const SLACK_REASON = { block: "reason", action: "reason" } as const;

/** What somebody clicked in a message of ours. */
export interface SlackClick {
  readonly team: string;
  readonly user: string;
  readonly choice: "approve" | "deny";
  readonly requestId: string;
  readonly level: number;
  readonly seen: string;
  readonly reason: string;
  /** Where to answer; a host of Slack's. */
  readonly answerAt?: string;
}

/** What a button of a message carries. Nothing of it is secret; who clicked is what Slack says. */
export function buttonValue(requestId: string, level: number, seen: string): string {
  return `${requestId} ${level} ${seen}`;
}

/** Reads a click; undefined for anything else. */
export function readClick(payload: string | undefined): SlackClick | undefined {
  let value: unknown;
  try {
    value = JSON.parse(payload ?? "");
  } catch {
    return undefined;
  }
  const parsed = actionSchema.safeParse(value);
  if (!parsed.success) return undefined;
  const { team, user, actions, state, response_url } = parsed.data;
  const [action] = actions;
  const target = /^([\w-]{1,64}) (\d{1,2}) ([0-9a-f-]{1,64})$/.exec(action!.value);
  if (!target) return undefined;
  return {
    team: team.id,
    user: user.id,
    choice: action!.action_id,
    requestId: target[1]!,
    level: Number(target[2]),
    seen: target[3]!,
    reason: (state?.values[SLACK_REASON.block]?.[SLACK_REASON.action]?.value ?? "").trim(),
    ...(response_url !== undefined && isOfSlack(response_url) && { answerAt: response_url }),
  };
}

/** Answers go to Slack and nowhere else, whatever the payload says. */
function isOfSlack(url: string): boolean {
  const { protocol, hostname, port } = new URL(url);
  return (
    protocol === "https:" &&
    port === "" &&
    (hostname === "hooks.slack.com" || hostname === "hooks.slack-gov.com")
  );
}

/** Tells somebody in Slack what became of their click. */
export interface SlackAnswers {
  /** @throws when Slack does not take it */
  answer(url: string, body: object): Promise<void>;
}

/** Answers over HTTPS. */
export class HttpSlackAnswers implements SlackAnswers {
  async answer(url: string, body: object): Promise<void> {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json; charset=utf-8" },
      body: JSON.stringify(body),
      redirect: "error",
      // Slack itself waits three seconds for us.
      signal: AbortSignal.timeout(1_500),
    });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`status ${response.status}`);
  }
}
