import {
  type Account,
  ListAccountsCommand,
  ListAccountsForParentCommand,
  ListOrganizationalUnitsForParentCommand,
  ListTagsForResourceCommand,
  type OrganizationsClient,
} from "@aws-sdk/client-organizations";
import type { AccountSource, ListedAccount } from "../inventory/list";
import { awsCall } from "./calls";

/** The organization's accounts, as the reader role in the management account sees them. */
export class AwsAccounts implements AccountSource {
  constructor(private readonly client: Pick<OrganizationsClient, "send">) {}

  async *all(): AsyncGenerator<ListedAccount> {
    let token: string | undefined;
    do {
      const page = await awsCall("ListAccounts", () =>
        this.client.send(new ListAccountsCommand({ NextToken: token })),
      );
      yield* (page.Accounts ?? []).map(listed);
      token = page.NextToken;
    } while (token);
  }

  async *inUnit(unitId: string): AsyncGenerator<ListedAccount> {
    let token: string | undefined;
    do {
      const page = await awsCall("ListAccountsForParent", () =>
        this.client.send(new ListAccountsForParentCommand({ ParentId: unitId, NextToken: token })),
      );
      yield* (page.Accounts ?? []).map(listed);
      token = page.NextToken;
    } while (token);
    do {
      const page = await awsCall("ListOrganizationalUnitsForParent", () =>
        this.client.send(new ListOrganizationalUnitsForParentCommand({ ParentId: unitId, NextToken: token })),
      );
      for (const { Id } of page.OrganizationalUnits ?? []) if (Id) yield* this.inUnit(Id);
      token = page.NextToken;
    } while (token);
  }

  async tags(accountId: string): Promise<Record<string, string>> {
    const tags: Record<string, string> = {};
    let token: string | undefined;
    do {
      const page = await awsCall("ListTagsForResource", () =>
        this.client.send(new ListTagsForResourceCommand({ ResourceId: accountId, NextToken: token })),
      );
      for (const { Key, Value } of page.Tags ?? []) tags[Key ?? ""] = Value ?? "";
      token = page.NextToken;
    } while (token);
    return tags;
  }
}

/** Organizations says the state twice, under an older name and a newer one. */
function listed(account: Account & { State?: string }): ListedAccount {
  return {
    id: account.Id ?? "",
    name: account.Name ?? "",
    email: account.Email ?? "",
    active: (account.State ?? account.Status) === "ACTIVE",
  };
}
