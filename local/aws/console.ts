import * as z from "zod";

/** What a person types at a sign-in address of the console. */
export interface SignInAttempt {
  accountId: string;
  userName: string;
  password: string;
  /** Six digits of the second factor; left out by somebody who has none. */
  mfaCode?: string;
  /** Region of the sign-in address. */
  region: string;
}

/** The session of somebody who is signed in. */
export interface ConsoleSession {
  readonly credentials: { accessKeyId: string; secretAccessKey: string; sessionToken: string };
  /** Whether a second factor was checked. */
  readonly mfa: boolean;
}

const answerSchema = z.object({
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
  sessionToken: z.string(),
  mfa: z.boolean(),
});

/** The console did not let somebody in. */
export class SignInError extends Error {
  override readonly name = "SignInError";
  constructor(
    message: string,
    /** HTTP status: 401 for a wrong password or code, 503 for a region that does not answer. */
    readonly status: number,
  ) {
    super(message);
  }
}

/**
 * Signs in to the local AWS's console, as a person would with a browser.
 * @param url the local AWS, or the region proxy in front of it
 * @throws SignInError when password or code are wrong, or the region does not answer
 */
export async function signIn(url: string, attempt: SignInAttempt): Promise<ConsoleSession> {
  const response = await fetch(`${url}/_bulkhead/console/sign-in`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(attempt),
  });
  const body = await response.text();
  if (!response.ok) {
    throw new SignInError(
      `${attempt.userName} was not let in at the sign-in address of ${attempt.region} (${response.status}): ${messageOf(body)}`,
      response.status,
    );
  }
  const { mfa, ...credentials } = answerSchema.parse(JSON.parse(body));
  return { credentials, mfa };
}

function messageOf(body: string): string {
  try {
    return z.object({ message: z.string() }).parse(JSON.parse(body)).message;
  } catch {
    return body.slice(0, 200);
  }
}

/**
 * Registers a security key of a user, as an administrator would in the console: no API can do it (fact 29).
 * @returns the key's serial number
 */
export async function registerSecurityKey(
  url: string,
  key: { accountId: string; userName: string; name: string },
): Promise<string> {
  const response = await fetch(`${url}/_bulkhead/console/security-key`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(key),
  });
  const body = await response.text();
  if (!response.ok) throw new Error(`the console did not register the security key: ${messageOf(body)}`);
  return z.object({ serialNumber: z.string() }).parse(JSON.parse(body)).serialNumber;
}
