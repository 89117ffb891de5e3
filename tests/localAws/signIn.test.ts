import {
  AttachUserPolicyCommand,
  ChangePasswordCommand,
  CreateAccessKeyCommand,
  CreateLoginProfileCommand,
  CreateUserCommand,
  CreateVirtualMFADeviceCommand,
  EnableMFADeviceCommand,
  type IAMClient,
  ListUsersCommand,
  PutUserPolicyCommand,
  UpdateLoginProfileCommand,
} from "@aws-sdk/client-iam";
import { AssumeRoleCommand, GetCallerIdentityCommand, GetSessionTokenCommand } from "@aws-sdk/client-sts";
import { expect } from "chai";
import { denyWithoutMfaStatements } from "../../components/breakGlassAccount/denyWithoutMfa";
import type { LocalAws } from "../../local/aws/launch";
import {
  createConsoleUser,
  EAST,
  failure,
  iamClient,
  Listener,
  launch,
  rootOf,
  SECURITY,
  signIn,
  stsClient,
  WEST,
} from "./support";

/** The product's own policy. */
const DENY_WITHOUT_MFA = JSON.stringify({ Version: "2012-10-17", Statement: denyWithoutMfaStatements() });

describe("local AWS: signing in", () => {
  let aws: LocalAws;
  let iam: IAMClient;
  let east: Listener;
  let west: Listener;

  before(async () => {
    aws = await launch();
    iam = iamClient(aws, rootOf(SECURITY));
    const pattern = { source: ["aws.signin"] };
    east = await Listener.open(aws, { name: "sign-ins", region: EAST, pattern });
    west = await Listener.open(aws, { name: "sign-ins", region: WEST, pattern });
  });
  after(() => aws?.stop());

  async function emergencyUser(userName: string) {
    const user = await createConsoleUser(iam, userName);
    await iam.send(
      new AttachUserPolicyCommand({
        UserName: userName,
        PolicyArn: "arn:aws:iam::aws:policy/AdministratorAccess",
      }),
    );
    await iam.send(
      new PutUserPolicyCommand({ UserName: userName, PolicyName: "mfa", PolicyDocument: DENY_WITHOUT_MFA }),
    );
    return user;
  }

  it("gives credentials with MFA context to who has password and code, and records it in the region", async () => {
    const user = await emergencyUser("ada");
    const { status, body } = await signIn(aws, user, { region: WEST, mfaCode: await user.code() });
    expect(status).to.equal(200);
    expect(body.mfa).to.equal(true);

    const acting = iamClient(aws, body, WEST);
    expect((await acting.send(new ListUsersCommand())).Users).to.not.be.empty;
    expect((await stsClient(aws, body, WEST).send(new GetCallerIdentityCommand())).Arn).to.equal(
      `arn:aws:iam::${SECURITY}:user/ada`,
    );

    const check = await west.next();
    expect(check.detail).to.include({ eventName: "CheckMfa", awsRegion: WEST });
    expect(check.detail.responseElements).to.deep.equal({ CheckMfa: "Success" });
    const { detail, ...envelope } = await west.next();
    expect(envelope).to.include({ source: "aws.signin", region: WEST, account: SECURITY });
    expect(envelope["detail-type"]).to.equal("AWS Console Sign In via CloudTrail");
    expect(detail).to.include({
      eventSource: "signin.amazonaws.com",
      eventName: "ConsoleLogin",
      eventType: "AwsConsoleSignIn",
      awsRegion: WEST,
      recipientAccountId: SECURITY,
    });
    expect(detail.userIdentity).to.include({
      type: "IAMUser",
      userName: "ada",
      accountId: SECURITY,
      arn: `arn:aws:iam::${SECURITY}:user/ada`,
    });
    expect(detail.responseElements).to.deep.equal({ ConsoleLogin: "Success" });
    expect(detail.additionalEventData).to.include({
      MFAUsed: "Yes",
      MobileVersion: "No",
      MFAIdentifier: user.serialNumber,
    });
    expect(detail.additionalEventData.LoginTo).to.match(/^https:\/\/console\.aws\.amazon\.com/);
    expect(detail.tlsDetails.clientProvidedHostHeader).to.equal("us-west-2.signin.aws.amazon.com");
    expect(await east.drain()).to.be.empty;
  });

  it("does not take a code twice, nor an earlier one after it", async () => {
    const user = await emergencyUser("once");
    const mfaCode = await user.code(0);
    expect((await signIn(aws, user, { mfaCode })).status).to.equal(200);
    expect((await signIn(aws, user, { mfaCode })).status).to.equal(401);
    expect((await signIn(aws, user, { mfaCode: await user.code(-1) })).status).to.equal(401);
    expect((await signIn(aws, user, { mfaCode: await user.code(1) })).status).to.equal(200);
    await east.next(
      (event) =>
        event.detail.eventName === "CheckMfa" && event.detail.responseElements.CheckMfa === "Failure",
    );
    const failed = await east.next(
      (event) =>
        event.detail.eventName === "ConsoleLogin" && event.detail.responseElements.ConsoleLogin === "Failure",
    );
    expect(failed.detail.errorMessage).to.equal("Failed authentication");
    expect(failed.detail.additionalEventData.MFAUsed).to.equal("Yes");
    expect(failed.detail.userIdentity).to.not.have.property("arn");
  });

  it("wants a code from a user with a device, and lets a user without one in without MFA context", async () => {
    const user = await emergencyUser("asked");
    expect((await signIn(aws, user)).status).to.equal(401);

    await iam.send(new CreateUserCommand({ UserName: "bare" }));
    await iam.send(new CreateLoginProfileCommand({ UserName: "bare", Password: user.password }));
    await iam.send(
      new AttachUserPolicyCommand({
        UserName: "bare",
        PolicyArn: "arn:aws:iam::aws:policy/AdministratorAccess",
      }),
    );
    await iam.send(
      new PutUserPolicyCommand({ UserName: "bare", PolicyName: "mfa", PolicyDocument: DENY_WITHOUT_MFA }),
    );
    const { status, body } = await signIn(aws, { userName: "bare", password: user.password });
    expect(status).to.equal(200);
    expect(body.mfa).to.equal(false);
    const denied = await failure(iamClient(aws, body).send(new ListUsersCommand()));
    expect(denied.name).to.match(/^AccessDenied/);
    expect(denied.message).to.contain("explicit deny");
  });

  it("records a wrong password, and hides the name of an unknown user", async () => {
    const user = await emergencyUser("mistyped");
    await east.drain();
    expect((await signIn(aws, { ...user, password: "Wrong-Password-1" })).status).to.equal(401);
    const wrong = await east.next((event) => event.detail.userIdentity.userName === "mistyped");
    expect(wrong.detail.responseElements).to.deep.equal({ ConsoleLogin: "Failure" });

    expect((await signIn(aws, { userName: "nobody", password: "x" })).status).to.equal(401);
    const unknown = await east.next(
      (event) => event.detail.userIdentity.userName === "HIDDEN_DUE_TO_SECURITY_REASONS",
    );
    expect(unknown.detail.errorMessage).to.equal("No username found in supplied account");
  });

  it("keeps passwords to the policy, and lets owners change theirs", async () => {
    const user = await emergencyUser("changer");
    const weak = await failure(
      iam.send(new UpdateLoginProfileCommand({ UserName: user.userName, Password: "short" })),
    );
    expect(weak.name).to.match(/^PasswordPolicyViolation/);

    const { body } = await signIn(aws, user, { mfaCode: await user.code() });
    const own = iamClient(aws, body);
    const changed = "Another-Horse-Battery-8";
    const wrong = await failure(
      own.send(new ChangePasswordCommand({ OldPassword: "Not-The-One-9", NewPassword: changed })),
    );
    expect(wrong.name).to.match(/^AccessDenied/);
    await own.send(new ChangePasswordCommand({ OldPassword: user.password, NewPassword: changed }));
    expect((await signIn(aws, user, { mfaCode: await user.code(1) })).status).to.equal(401);
    const again = await signIn(aws, { ...user, password: changed }, { mfaCode: await user.code(1) });
    expect(again.status).to.equal(200);
  });

  it("refuses wrong codes when a device is enabled", async () => {
    await iam.send(new CreateUserCommand({ UserName: "enroller" }));
    const { VirtualMFADevice } = await iam.send(
      new CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: "enroller" }),
    );
    const refused = await failure(
      iam.send(
        new EnableMFADeviceCommand({
          UserName: "enroller",
          SerialNumber: VirtualMFADevice!.SerialNumber,
          AuthenticationCode1: "000000",
          AuthenticationCode2: "000001",
        }),
      ),
    );
    expect(refused.name).to.match(/^InvalidAuthenticationCode/);
  });

  it("denies long-term keys, allows a session token with a code, and gives roles no MFA context", async () => {
    const user = await emergencyUser("caller");
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: user.userName }));
    const keys = { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! };
    expect((await failure(iamClient(aws, keys).send(new ListUsersCommand()))).name).to.match(/^AccessDenied/);

    const sts = stsClient(aws, keys);
    const noCode = await sts.send(new GetSessionTokenCommand({}));
    const unproven = {
      accessKeyId: noCode.Credentials!.AccessKeyId!,
      secretAccessKey: noCode.Credentials!.SecretAccessKey!,
      sessionToken: noCode.Credentials!.SessionToken!,
    };
    expect((await failure(iamClient(aws, unproven).send(new ListUsersCommand()))).name).to.match(
      /^AccessDenied/,
    );
    const wrong = await failure(
      sts.send(new GetSessionTokenCommand({ SerialNumber: user.serialNumber, TokenCode: "000000" })),
    );
    expect(wrong.message).to.contain("MultiFactorAuthentication failed");

    const TokenCode = await user.code();
    const { Credentials } = await sts.send(
      new GetSessionTokenCommand({ SerialNumber: user.serialNumber, TokenCode }),
    );
    const session = {
      accessKeyId: Credentials!.AccessKeyId!,
      secretAccessKey: Credentials!.SecretAccessKey!,
      sessionToken: Credentials!.SessionToken!,
    };
    expect((await iamClient(aws, session).send(new ListUsersCommand())).Users).to.not.be.empty;
    const replay = await failure(
      sts.send(new GetSessionTokenCommand({ SerialNumber: user.serialNumber, TokenCode })),
    );
    expect(replay.message).to.contain("MultiFactorAuthentication failed");
  });

  it("lets a trust policy demand MFA of the call that assumes the role, and denies the session's next hop", async () => {
    const user = await createConsoleUser(iam, "hopper");
    const { CreateRoleCommand, PutRolePolicyCommand } = await import("@aws-sdk/client-iam");
    const principal = { AWS: `arn:aws:iam::${SECURITY}:root` };
    await iam.send(
      new CreateRoleCommand({
        RoleName: "guarded",
        AssumeRolePolicyDocument: JSON.stringify({
          Version: "2012-10-17",
          Statement: [
            {
              Effect: "Allow",
              Principal: principal,
              Action: "sts:AssumeRole",
              Condition: {
                Bool: { "aws:MultiFactorAuthPresent": "true" },
                NumericLessThan: { "aws:MultiFactorAuthAge": "60" },
              },
            },
          ],
        }),
      }),
    );
    const anything = { Effect: "Allow", Action: "*", Resource: "*" };
    await iam.send(
      new PutRolePolicyCommand({
        RoleName: "guarded",
        PolicyName: "all",
        PolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: [anything] }),
      }),
    );
    await iam.send(
      new PutUserPolicyCommand({
        UserName: "hopper",
        PolicyName: "assume",
        PolicyDocument: JSON.stringify({
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Resource: "*" }],
        }),
      }),
    );
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: "hopper" }));
    const sts = stsClient(aws, {
      accessKeyId: AccessKey!.AccessKeyId!,
      secretAccessKey: AccessKey!.SecretAccessKey!,
    });
    const RoleArn = `arn:aws:iam::${SECURITY}:role/guarded`;
    expect(
      (await failure(sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: "no-code" })))).name,
    ).to.match(/^AccessDenied/);
    const { Credentials } = await sts.send(
      new AssumeRoleCommand({
        RoleArn,
        RoleSessionName: "with-code",
        SerialNumber: user.serialNumber,
        TokenCode: await user.code(),
      }),
    );
    const session = {
      accessKeyId: Credentials!.AccessKeyId!,
      secretAccessKey: Credentials!.SecretAccessKey!,
      sessionToken: Credentials!.SessionToken!,
    };
    await iamClient(aws, session).send(new ListUsersCommand());
    // The role's own credentials carry no MFA context (fact 29): the same trust policy refuses them.
    const chained = await failure(
      stsClient(aws, session).send(new AssumeRoleCommand({ RoleArn, RoleSessionName: "next" })),
    );
    expect(chained.name).to.match(/^AccessDenied/);
  });
});
