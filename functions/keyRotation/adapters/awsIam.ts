import {
  CreateAccessKeyCommand,
  DeleteAccessKeyCommand,
  GenerateCredentialReportCommand,
  GetAccessKeyLastUsedCommand,
  GetAccountAuthorizationDetailsCommand,
  GetCredentialReportCommand,
  type IAMClient,
  ListAccessKeysCommand,
  UpdateAccessKeyCommand,
} from "@aws-sdk/client-iam";
import { CallFailure } from "../engine/failure";
import type { CreatedKey, Iam, ListedKey } from "../engine/ports";
import { awsCall } from "./calls";

/** IAM of one account. */
export class AwsIam implements Iam {
  /**
   * @param client with the credentials of the account's role
   * @param single the same, that makes each call once: CreateAccessKey sent twice makes two keys
   */
  constructor(
    private readonly client: Pick<IAMClient, "send">,
    private readonly single: Pick<IAMClient, "send">,
  ) {}

  async generateReport() {
    const { State } = await awsCall("GenerateCredentialReport", () =>
      this.client.send(new GenerateCredentialReportCommand({})),
    );
    return State ?? "STARTED";
  }

  async getReport() {
    try {
      const { Content, GeneratedTime } = await awsCall("GetCredentialReport", () =>
        this.client.send(new GetCredentialReportCommand({})),
      );
      if (!Content || !GeneratedTime) throw new CallFailure("other", "GetCredentialReport");
      return { csv: Buffer.from(Content).toString("utf8"), generatedAt: GeneratedTime };
    } catch (error) {
      const { cause } = error as { cause?: { name?: string } };
      if (/ReportNotPresent|ReportExpired|ReportNotReady|ReportInProgress/.test(cause?.name ?? ""))
        return undefined;
      throw error;
    }
  }

  async details(marker?: string) {
    const { UserDetailList, GroupDetailList, IsTruncated, Marker } = await awsCall(
      "GetAccountAuthorizationDetails",
      () =>
        this.client.send(
          new GetAccountAuthorizationDetailsCommand({
            Filter: ["User", "Group"],
            MaxItems: 1000,
            Marker: marker,
          }),
        ),
    );
    return {
      users: (UserDetailList ?? []).map((user) => ({
        name: user.UserName ?? "",
        arn: user.Arn ?? "",
        path: user.Path ?? "/",
        groups: user.GroupList ?? [],
        tags: Object.fromEntries((user.Tags ?? []).map(({ Key, Value }) => [Key ?? "", Value ?? ""])),
      })),
      groups: (GroupDetailList ?? []).map(({ GroupName }) => GroupName ?? ""),
      ...(IsTruncated && Marker !== undefined && { next: Marker }),
    };
  }

  async listKeys(userName: string): Promise<ListedKey[]> {
    const { AccessKeyMetadata } = await awsCall("ListAccessKeys", () =>
      this.client.send(new ListAccessKeysCommand({ UserName: userName })),
    );
    return (AccessKeyMetadata ?? []).map(({ AccessKeyId, Status, CreateDate }) => {
      if (!AccessKeyId || !CreateDate || (Status !== "Active" && Status !== "Inactive")) {
        throw new CallFailure("other", "ListAccessKeys");
      }
      return { id: AccessKeyId, status: Status, createdAt: CreateDate };
    });
  }

  async lastUsed(keyId: string): Promise<Date | null> {
    const { AccessKeyLastUsed } = await awsCall("GetAccessKeyLastUsed", () =>
      this.client.send(new GetAccessKeyLastUsedCommand({ AccessKeyId: keyId })),
    );
    // An answer without its content is no answer, above all not "never".
    if (!AccessKeyLastUsed) throw new CallFailure("other", "GetAccessKeyLastUsed");
    return AccessKeyLastUsed.LastUsedDate ?? null;
  }

  async createKey(userName: string): Promise<CreatedKey> {
    const { AccessKey } = await awsCall("CreateAccessKey", () =>
      this.single.send(new CreateAccessKeyCommand({ UserName: userName })),
    );
    if (!AccessKey?.AccessKeyId || !AccessKey.SecretAccessKey)
      throw new CallFailure("unreachable", "CreateAccessKey");
    return {
      id: AccessKey.AccessKeyId,
      secret: AccessKey.SecretAccessKey,
      createdAt: AccessKey.CreateDate ?? new Date(),
    };
  }

  async deactivateKey(userName: string, keyId: string): Promise<void> {
    await awsCall("UpdateAccessKey", () =>
      this.client.send(
        new UpdateAccessKeyCommand({ UserName: userName, AccessKeyId: keyId, Status: "Inactive" }),
      ),
    );
  }

  async deleteKey(userName: string, keyId: string): Promise<void> {
    await awsCall("DeleteAccessKey", () =>
      this.client.send(new DeleteAccessKeyCommand({ UserName: userName, AccessKeyId: keyId })),
    );
  }
}
