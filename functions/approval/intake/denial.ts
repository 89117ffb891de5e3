/** What the message of a denied call says. */

/** The codes of denied calls (fact 22). */
export const DENIED: readonly string[] = [
  "Client.UnauthorizedOperation",
  "AccessDenied",
  "AccessDeniedException",
];

/** The parts of a message such as `User: ARN is not authorized to perform: ACTION on resource: ARN because ...`. */
export interface Denial {
  readonly caller: string;
  readonly action: string;
  readonly resource: string;
}

// Blanks separate the parts and stand in none of them, so a name that somebody chose cannot pass for another part.
const MESSAGE =
  /^(?:You are not authorized to perform this operation\. )?User: (\S+) is not authorized to perform: ([\w:-]+) on resource: "?(\S+?)"?(?: (?:because|with) .*)?\.?$/s;

/** Reads the message. Undefined when it is of another form, such as EC2's encoded one. */
export function readDenial(message: string | undefined): Denial | undefined {
  const match = message === undefined || message.length > 8_192 ? null : MESSAGE.exec(message);
  return match ? { caller: match[1]!, action: match[2]!, resource: match[3]! } : undefined;
}

/** The kind of policy with an explicit deny that the message names, such as `service control policy`. */
export function denyingPolicy(message: string | undefined): string | undefined {
  return /with an explicit deny in an? ((?:service control|resource control|identity-based|resource-based|session|VPC endpoint) policy|permissions boundary)/.exec(
    message?.slice(0, 8_192) ?? "",
  )?.[1];
}
