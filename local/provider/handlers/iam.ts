/** AWS Identity and Access Management. */
import { arn, partitionOf } from "../../../components/regional/partition";
import type { Client } from "../context";
import { isGone } from "../errors";
import { define, type Handler, idParts, pages, someTags, syncTags, tagList, tagMap } from "../handler";
import { encryptTo, randomPassword } from "../password";
import { bool, hasUnknown, map, num, policy, str } from "../schema";
import type { Props } from "../types";

type Iam = Client<"iam">;

/** What the path of a root-level principal or policy is. */
const ROOT = "/";
/** AWS keeps this many versions of a managed policy. */
const MAX_POLICY_VERSIONS = 5;

/** AWS gives policies back URL-encoded. */
function decodePolicy(document: string | undefined): string | undefined {
  return document === undefined ? undefined : decodeURIComponent(document);
}

/** Runs a call that may find nothing. */
async function orNothing<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

const user = define("iam", {
  type: "aws:iam/user:User",
  global: true,
  autoname: { property: "name", maxLength: 64 },
  inputs: {
    name: str(),
    path: str({ default: ROOT }),
    permissionsBoundary: str(),
    forceDestroy: bool({ default: false, writeOnly: true }),
    tags: map(),
  },
  outputs: ["arn", "uniqueId"],
  volatile: { arn: ["name", "path"] },
  async create(iam, inputs) {
    await iam.createUser({
      UserName: inputs.name,
      Path: inputs.path,
      PermissionsBoundary: inputs.permissionsBoundary,
      Tags: someTags(inputs.tags),
    });
    return inputs.name;
  },
  async read(iam, id, known) {
    // A renamed user keeps its id in Pulumi's state.
    const { User } = await iam.getUser({ UserName: known.name ?? id });
    return {
      name: User!.UserName,
      path: User!.Path,
      permissionsBoundary: User!.PermissionsBoundary?.PermissionsBoundaryArn,
      tags: tagMap(User!.Tags ?? (await iam.listUserTags({ UserName: User!.UserName })).Tags),
      arn: User!.Arn,
      uniqueId: User!.UserId,
    };
  },
  async update(iam, _id, inputs, olds, call) {
    const UserName = inputs.name;
    if (call.changed("name", "path")) {
      await iam.updateUser({ UserName: olds.name, NewUserName: inputs.name, NewPath: inputs.path });
    }
    if (call.changed("permissionsBoundary")) {
      if (inputs.permissionsBoundary) {
        await iam.putUserPermissionsBoundary({ UserName, PermissionsBoundary: inputs.permissionsBoundary });
      } else await iam.deleteUserPermissionsBoundary({ UserName });
    }
    await syncTags(
      olds.tags,
      inputs.tags,
      (tags) => iam.tagUser({ UserName, Tags: tagList(tags) }),
      (TagKeys) => iam.untagUser({ UserName, TagKeys }),
    );
    return undefined;
  },
  async delete(iam, id, olds) {
    const name = olds.name ?? id;
    if (olds.forceDestroy) await emptyUser(iam, name);
    await iam.deleteUser({ UserName: name });
  },
  identify: async (_iam, inputs) => inputs.name,
});

/** Takes from a user all that stands in the way of its removal (`forceDestroy`). */
async function emptyUser(iam: Iam, UserName: string): Promise<void> {
  const { AccessKeyMetadata } = await iam.listAccessKeys({ UserName });
  for (const { AccessKeyId } of AccessKeyMetadata ?? []) await iam.deleteAccessKey({ UserName, AccessKeyId });
  await orNothing(iam.deleteLoginProfile({ UserName }));
  const { MFADevices } = await iam.listMFADevices({ UserName });
  for (const { SerialNumber } of MFADevices ?? []) {
    await iam.deactivateMFADevice({ UserName, SerialNumber });
    // A virtual device is known by its ARN and stays behind otherwise.
    if (SerialNumber?.includes(":mfa/")) await orNothing(iam.deleteVirtualMFADevice({ SerialNumber }));
  }
  const { AttachedPolicies } = await iam.listAttachedUserPolicies({ UserName });
  for (const { PolicyArn } of AttachedPolicies ?? []) await iam.detachUserPolicy({ UserName, PolicyArn });
  const { PolicyNames } = await iam.listUserPolicies({ UserName });
  for (const PolicyName of PolicyNames ?? []) await iam.deleteUserPolicy({ UserName, PolicyName });
  const { Groups } = await iam.listGroupsForUser({ UserName });
  for (const { GroupName } of Groups ?? []) await iam.removeUserFromGroup({ UserName, GroupName });
}

async function makePassword(inputs: Props): Promise<{ password: string; outputs: Props }> {
  const password = randomPassword(inputs.passwordLength);
  // The plain password leaves this function only to AWS, unless nobody gave a key to encrypt it to.
  if (inputs.pgpKey === undefined) return { password, outputs: { password } };
  const { message, fingerprint } = await encryptTo(inputs.pgpKey, password);
  return { password, outputs: { encryptedPassword: message, keyFingerprint: fingerprint } };
}

const userLoginProfile = define("iam", {
  type: "aws:iam/userLoginProfile:UserLoginProfile",
  global: true,
  inputs: {
    user: str({ required: true, replaces: true }),
    pgpKey: str({ replaces: true, writeOnly: true }),
    passwordLength: num({ default: 20, replaces: true, writeOnly: true }),
    passwordResetRequired: bool({ computed: true, replaces: true }),
  },
  outputs: ["encryptedPassword", "keyFingerprint", "password"],
  secrets: ["password"],
  lostOutputs: { outputs: ["encryptedPassword"], input: "pgpKey" },
  validate({ passwordLength }) {
    const isFine = typeof passwordLength !== "number" || (passwordLength >= 5 && passwordLength <= 128);
    return isFine ? [] : [{ property: "passwordLength", reason: `is ${passwordLength}: must be 5 to 128` }];
  },
  async create(iam, inputs) {
    const { password, outputs } = await makePassword(inputs);
    await iam.createLoginProfile({
      UserName: inputs.user,
      Password: password,
      PasswordResetRequired: inputs.passwordResetRequired ?? false,
    });
    return { id: inputs.user, outputs };
  },
  async read(iam, id) {
    const { LoginProfile } = await iam.getLoginProfile({ UserName: id });
    return { user: id, passwordResetRequired: LoginProfile?.PasswordResetRequired ?? false };
  },
  // Only for what an interrupted run left: nobody has its password, so a new one is set.
  async update(iam, _id, inputs) {
    const { password, outputs } = await makePassword(inputs);
    await iam.updateLoginProfile({
      UserName: inputs.user,
      Password: password,
      PasswordResetRequired: inputs.passwordResetRequired ?? false,
    });
    return outputs;
  },
  async delete(iam, id) {
    await iam.deleteLoginProfile({ UserName: id });
  },
  identify: async (_iam, inputs) => inputs.user,
});

const userPolicyAttachment = define("iam", {
  type: "aws:iam/userPolicyAttachment:UserPolicyAttachment",
  global: true,
  inputs: {
    user: str({ required: true, replaces: true }),
    policyArn: str({ required: true, replaces: true }),
  },
  outputs: [],
  async create(iam, inputs) {
    await iam.attachUserPolicy({ UserName: inputs.user, PolicyArn: inputs.policyArn });
    return `${inputs.user}/${inputs.policyArn}`;
  },
  async read(iam, id) {
    const [UserName, policyArn] = idParts(id, "/", 2) as [string, string];
    const attached = await pages(
      (Marker) => iam.listAttachedUserPolicies({ UserName, Marker }),
      (page) => page.AttachedPolicies,
      (page) => page.Marker,
    );
    return attached.some((found) => found.PolicyArn === policyArn)
      ? { user: UserName, policyArn }
      : undefined;
  },
  async delete(iam, id) {
    const [UserName, PolicyArn] = idParts(id, "/", 2) as [string, string];
    await iam.detachUserPolicy({ UserName, PolicyArn });
  },
  identify: async (_iam, inputs) => `${inputs.user}/${inputs.policyArn}`,
});

const managedPolicy = define("iam", {
  type: "aws:iam/policy:Policy",
  global: true,
  autoname: { property: "name", prefixProperty: "namePrefix", maxLength: 128 },
  inputs: {
    name: str({ replaces: true }),
    namePrefix: str({ replaces: true, writeOnly: true }),
    path: str({ default: ROOT, replaces: true }),
    description: str({ replaces: true }),
    policy: policy({ required: true }),
    tags: map(),
  },
  advice: { delayAfterPolicyCreationInMs: "leave it out: policies take effect at once here" },
  outputs: ["arn", "policyId", "attachmentCount"],
  async create(iam, inputs) {
    const { Policy } = await iam.createPolicy({
      PolicyName: inputs.name,
      Path: inputs.path,
      Description: inputs.description,
      PolicyDocument: inputs.policy,
      Tags: someTags(inputs.tags),
    });
    return Policy!.Arn!;
  },
  async read(iam, id) {
    const { Policy } = await iam.getPolicy({ PolicyArn: id });
    const { PolicyVersion } = await iam.getPolicyVersion({
      PolicyArn: id,
      VersionId: Policy!.DefaultVersionId,
    });
    return {
      name: Policy!.PolicyName,
      path: Policy!.Path,
      description: Policy!.Description,
      policy: decodePolicy(PolicyVersion?.Document),
      tags: tagMap(Policy!.Tags ?? (await iam.listPolicyTags({ PolicyArn: id })).Tags),
      arn: id,
      policyId: Policy!.PolicyId,
      attachmentCount: Policy!.AttachmentCount,
    };
  },
  async update(iam, PolicyArn, inputs, olds, call) {
    if (call.changed("policy")) {
      const { Versions = [] } = await iam.listPolicyVersions({ PolicyArn });
      if (Versions.length >= MAX_POLICY_VERSIONS) {
        const number = (id: string | undefined) => Number(id?.slice(1));
        const [oldest] = Versions.filter((version) => !version.IsDefaultVersion).sort(
          (a, b) => number(a.VersionId) - number(b.VersionId),
        );
        await iam.deletePolicyVersion({ PolicyArn, VersionId: oldest?.VersionId });
      }
      await iam.createPolicyVersion({ PolicyArn, PolicyDocument: inputs.policy, SetAsDefault: true });
    }
    await syncTags(
      olds.tags,
      inputs.tags,
      (tags) => iam.tagPolicy({ PolicyArn, Tags: tagList(tags) }),
      (TagKeys) => iam.untagPolicy({ PolicyArn, TagKeys }),
    );
    return undefined;
  },
  async delete(iam, PolicyArn) {
    const { Versions = [] } = await iam.listPolicyVersions({ PolicyArn });
    for (const { VersionId, IsDefaultVersion } of Versions) {
      if (!IsDefaultVersion) await iam.deletePolicyVersion({ PolicyArn, VersionId });
    }
    await iam.deletePolicy({ PolicyArn });
  },
  identify: async (_iam, inputs, call) =>
    arn({
      partition: partitionOf(call.region),
      service: "iam",
      account: await call.account(),
      resource: `policy${inputs.path}${inputs.name}`,
    }),
});

const role = define("iam", {
  type: "aws:iam/role:Role",
  global: true,
  autoname: { property: "name", prefixProperty: "namePrefix", maxLength: 64 },
  inputs: {
    name: str({ replaces: true }),
    namePrefix: str({ replaces: true, writeOnly: true }),
    path: str({ default: ROOT, replaces: true }),
    description: str(),
    assumeRolePolicy: policy({ required: true }),
    maxSessionDuration: num({ default: 3600 }),
    permissionsBoundary: str(),
    forceDetachPolicies: bool({ default: false, writeOnly: true }),
    tags: map(),
  },
  advice: { inlinePolicies: "use aws.iam.RolePolicy", managedPolicyArns: "use aws.iam.RolePolicyAttachment" },
  outputs: ["arn", "createDate", "uniqueId"],
  async create(iam, inputs) {
    await iam.createRole({
      RoleName: inputs.name,
      Path: inputs.path,
      Description: inputs.description,
      AssumeRolePolicyDocument: inputs.assumeRolePolicy,
      MaxSessionDuration: inputs.maxSessionDuration,
      PermissionsBoundary: inputs.permissionsBoundary,
      Tags: someTags(inputs.tags),
    });
    return inputs.name;
  },
  async read(iam, id) {
    const { Role } = await iam.getRole({ RoleName: id });
    return {
      name: id,
      path: Role!.Path,
      description: Role!.Description,
      assumeRolePolicy: decodePolicy(Role!.AssumeRolePolicyDocument),
      maxSessionDuration: Role!.MaxSessionDuration ?? 3600,
      permissionsBoundary: Role!.PermissionsBoundary?.PermissionsBoundaryArn,
      tags: tagMap(Role!.Tags ?? (await iam.listRoleTags({ RoleName: id })).Tags),
      arn: Role!.Arn,
      createDate: Role!.CreateDate?.toISOString(),
      uniqueId: Role!.RoleId,
    };
  },
  async update(iam, RoleName, inputs, olds, call) {
    if (call.changed("assumeRolePolicy")) {
      await iam.updateAssumeRolePolicy({ RoleName, PolicyDocument: inputs.assumeRolePolicy });
    }
    if (call.changed("description")) {
      await iam.updateRoleDescription({ RoleName, Description: inputs.description ?? "" });
    }
    if (call.changed("maxSessionDuration")) {
      await iam.updateRole({ RoleName, MaxSessionDuration: inputs.maxSessionDuration });
    }
    if (call.changed("permissionsBoundary")) {
      if (inputs.permissionsBoundary) {
        await iam.putRolePermissionsBoundary({ RoleName, PermissionsBoundary: inputs.permissionsBoundary });
      } else await iam.deleteRolePermissionsBoundary({ RoleName });
    }
    await syncTags(
      olds.tags,
      inputs.tags,
      (tags) => iam.tagRole({ RoleName, Tags: tagList(tags) }),
      (TagKeys) => iam.untagRole({ RoleName, TagKeys }),
    );
    return undefined;
  },
  async delete(iam, RoleName, olds) {
    if (olds.forceDetachPolicies) {
      const { AttachedPolicies } = await iam.listAttachedRolePolicies({ RoleName });
      for (const { PolicyArn } of AttachedPolicies ?? []) await iam.detachRolePolicy({ RoleName, PolicyArn });
      const { PolicyNames } = await iam.listRolePolicies({ RoleName });
      for (const PolicyName of PolicyNames ?? []) await iam.deleteRolePolicy({ RoleName, PolicyName });
    }
    await iam.deleteRole({ RoleName });
  },
  identify: async (_iam, inputs) => inputs.name,
});

const rolePolicy = define("iam", {
  type: "aws:iam/rolePolicy:RolePolicy",
  global: true,
  autoname: { property: "name", prefixProperty: "namePrefix", maxLength: 128 },
  inputs: {
    name: str({ replaces: true }),
    namePrefix: str({ replaces: true, writeOnly: true }),
    role: str({ required: true, replaces: true }),
    policy: policy({ required: true }),
  },
  outputs: [],
  async create(iam, inputs) {
    await iam.putRolePolicy({
      RoleName: inputs.role,
      PolicyName: inputs.name,
      PolicyDocument: inputs.policy,
    });
    return `${inputs.role}:${inputs.name}`;
  },
  async read(iam, id) {
    const [RoleName, PolicyName] = idParts(id, ":", 2) as [string, string];
    const { PolicyDocument } = await iam.getRolePolicy({ RoleName, PolicyName });
    return { role: RoleName, name: PolicyName, policy: decodePolicy(PolicyDocument) };
  },
  async update(iam, _id, inputs) {
    await iam.putRolePolicy({
      RoleName: inputs.role,
      PolicyName: inputs.name,
      PolicyDocument: inputs.policy,
    });
    return undefined;
  },
  async delete(iam, id) {
    const [RoleName, PolicyName] = idParts(id, ":", 2) as [string, string];
    await iam.deleteRolePolicy({ RoleName, PolicyName });
  },
  identify: async (_iam, inputs) => `${inputs.role}:${inputs.name}`,
});

const rolePolicyAttachment = define("iam", {
  type: "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
  global: true,
  inputs: {
    role: str({ required: true, replaces: true }),
    policyArn: str({ required: true, replaces: true }),
  },
  outputs: [],
  async create(iam, inputs) {
    await iam.attachRolePolicy({ RoleName: inputs.role, PolicyArn: inputs.policyArn });
    return `${inputs.role}/${inputs.policyArn}`;
  },
  async read(iam, id) {
    const [RoleName, policyArn] = idParts(id, "/", 2) as [string, string];
    const attached = await pages(
      (Marker) => iam.listAttachedRolePolicies({ RoleName, Marker }),
      (page) => page.AttachedPolicies,
      (page) => page.Marker,
    );
    return attached.some((found) => found.PolicyArn === policyArn)
      ? { role: RoleName, policyArn }
      : undefined;
  },
  async delete(iam, id) {
    const [RoleName, PolicyArn] = idParts(id, "/", 2) as [string, string];
    await iam.detachRolePolicy({ RoleName, PolicyArn });
  },
  identify: async (_iam, inputs) => `${inputs.role}/${inputs.policyArn}`,
});

/** AWS's own call replaces the whole policy: what is not said returns to AWS's default. */
async function putPasswordPolicy(iam: Iam, inputs: Props): Promise<void> {
  await iam.updateAccountPasswordPolicy({
    AllowUsersToChangePassword: inputs.allowUsersToChangePassword,
    HardExpiry: inputs.hardExpiry,
    MaxPasswordAge: inputs.maxPasswordAge,
    MinimumPasswordLength: inputs.minimumPasswordLength,
    PasswordReusePrevention: inputs.passwordReusePrevention,
    RequireLowercaseCharacters: inputs.requireLowercaseCharacters ?? false,
    RequireNumbers: inputs.requireNumbers ?? false,
    RequireSymbols: inputs.requireSymbols ?? false,
    RequireUppercaseCharacters: inputs.requireUppercaseCharacters ?? false,
  });
}

const accountPasswordPolicy = define("iam", {
  type: "aws:iam/accountPasswordPolicy:AccountPasswordPolicy",
  global: true,
  inputs: {
    allowUsersToChangePassword: bool({ default: true }),
    hardExpiry: bool({ computed: true }),
    maxPasswordAge: num({ computed: true }),
    minimumPasswordLength: num({ default: 6 }),
    passwordReusePrevention: num({ computed: true }),
    requireLowercaseCharacters: bool({ computed: true }),
    requireNumbers: bool({ computed: true }),
    requireSymbols: bool({ computed: true }),
    requireUppercaseCharacters: bool({ computed: true }),
  },
  outputs: ["expirePasswords"],
  volatile: { expirePasswords: ["maxPasswordAge"] },
  validate({ minimumPasswordLength: length }) {
    const isFine = hasUnknown(length) || (length >= 6 && length <= 128);
    return isFine ? [] : [{ property: "minimumPasswordLength", reason: `is ${length}: must be 6 to 128` }];
  },
  async create(iam, inputs) {
    await putPasswordPolicy(iam, inputs);
    return "iam-account-password-policy";
  },
  async read(iam) {
    const { PasswordPolicy } = await iam.getAccountPasswordPolicy({});
    return {
      allowUsersToChangePassword: PasswordPolicy!.AllowUsersToChangePassword ?? false,
      hardExpiry: PasswordPolicy!.HardExpiry ?? false,
      maxPasswordAge: PasswordPolicy!.MaxPasswordAge ?? 0,
      minimumPasswordLength: PasswordPolicy!.MinimumPasswordLength,
      passwordReusePrevention: PasswordPolicy!.PasswordReusePrevention ?? 0,
      requireLowercaseCharacters: PasswordPolicy!.RequireLowercaseCharacters ?? false,
      requireNumbers: PasswordPolicy!.RequireNumbers ?? false,
      requireSymbols: PasswordPolicy!.RequireSymbols ?? false,
      requireUppercaseCharacters: PasswordPolicy!.RequireUppercaseCharacters ?? false,
      expirePasswords: PasswordPolicy!.ExpirePasswords ?? false,
    };
  },
  async update(iam, _id, inputs) {
    await putPasswordPolicy(iam, inputs);
    return undefined;
  },
  async delete(iam) {
    await iam.deleteAccountPasswordPolicy({});
  },
});

export const iamHandlers: readonly Handler[] = [
  user,
  userLoginProfile,
  userPolicyAttachment,
  managedPolicy,
  role,
  rolePolicy,
  rolePolicyAttachment,
  accountPasswordPolicy,
];
