import { GetUserCommand, type IAMClient, NoSuchEntityException } from "@aws-sdk/client-iam";
import { parseArn } from "../operations/values";
import type { Person } from "./document";
import type { ActivityCheck } from "./people";

/** Tag of an IAM user that says that the user must not act any more. */
const INACTIVE_TAG = "bulkhead:inactive";

/**
 * Looks the people's IAM users up: somebody whose IAM users are all deleted, or one of whose users is tagged `bulkhead:inactive`, is not
 * active, whatever the document still says. People without IAM users among their identities are left to the document.
 *
 * IAM answers from one region (fact 9); see `activeWithoutAnswer` for when that one is lost. Mail addresses come from the document alone, so
 * mails need no IAM.
 */
export class IamUserCheck implements ActivityCheck {
  /** @param clientOf a client for an account; undefined for accounts whose users are not looked up */
  constructor(private readonly clientOf: (account: string) => Pick<IAMClient, "send"> | undefined) {}

  async isActive({ identities }: Person): Promise<boolean> {
    const lookups = identities.flatMap((identity) => {
      const arn = parseArn(identity);
      const userName =
        arn?.service === "iam" ? /^user\/(?:.*\/)?([^/]+)$/.exec(arn.resource)?.[1] : undefined;
      const client = arn && userName !== undefined ? this.clientOf(arn.account) : undefined;
      return client && userName !== undefined ? [lookUp(client, userName)] : [];
    });
    const users = await Promise.all(lookups);
    if (users.includes("inactive")) return false;
    return users.length === 0 || users.includes("present");
  }
}

async function lookUp(
  client: Pick<IAMClient, "send">,
  UserName: string,
): Promise<"present" | "gone" | "inactive"> {
  try {
    const { User } = await client.send(new GetUserCommand({ UserName }));
    const tagged = User?.Tags?.some(({ Key }) => Key?.toLowerCase() === INACTIVE_TAG);
    return tagged ? "inactive" : "present";
  } catch (error) {
    if (error instanceof NoSuchEntityException) return "gone";
    throw error;
  }
}
