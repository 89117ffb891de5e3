import { LOCAL_AWS_NAME, type LocalEnvironment, PRIMARY, STANDBY } from "../environment";
import type { DrillRun } from "../report/types";
import { DrillContext, type DrillOptions } from "./context";
import { Approvals } from "./parts/approval";
import { confirmMail, deploy, preview, previewGlobalSts } from "./parts/cells";
import {
  actWithoutMfa,
  enrol,
  listUsers,
  openPasswords,
  signInAndAct,
  writeParameter,
} from "./parts/emergencyAccess";
import { KeyRotation } from "./parts/keys";
import { beginOutage, endOutage, oneWriter, promoteStandby } from "./parts/outage";
import {
  allGreen,
  closingReports,
  digest,
  firstCheck,
  holdExercise,
  nothingFails,
  rotate,
  rotateInVain,
} from "./parts/readiness";
import { noSecretAnywhere } from "./parts/secrets";
import { type Phase, runPhases } from "./runner";

/**
 * The drill: deploys both cells into the environment, lets an emergency user act, takes us-east-1 and every global service away, and shows
 * that access, alerts and promotion work on. What fails is told in the result, not thrown.
 */
export async function runDrill(environment: LocalEnvironment, options: DrillOptions = {}): Promise<DrillRun> {
  const context = new DrillContext(environment, options);
  const startedAt = new Date().toISOString();
  const keys = new KeyRotation(context);
  const approvals = new Approvals(context);
  const { outcome, phases } = await runPhases(story(context, keys, approvals), options);
  await keys.settled();
  await environment.proxy.setOutage(undefined);
  return {
    title: "Losing us-east-1",
    startedAt,
    finishedAt: new Date().toISOString(),
    engine: environment.driver.name,
    aws: LOCAL_AWS_NAME,
    outcome,
    cells: [PRIMARY, STANDBY],
    phases,
    ...context.findings(),
  };
}

/** The rotation of keys begins by saying what it would do. */
const AUDIT = { keyRotation: "audit" };

/** The story, in the order in which it is told. */
function story(context: DrillContext, keys: KeyRotation, approvals: Approvals): Phase[] {
  return [
    {
      name: "Two cells",
      description: "Both stacks are deployed, each into its own region, with the policy pack enforced.",
      steps: [
        {
          name: "Preview prod",
          region: PRIMARY.region,
          expectation: "The plan keeps to every rule of the policy pack.",
          run: () => preview(context, PRIMARY, AUDIT),
        },
        {
          name: "Deploy dr",
          region: STANDBY.region,
          expectation: "The standby cell stands, with everything that it needs in its own region.",
          run: () => deploy(context, STANDBY),
        },
        {
          name: "Deploy prod",
          region: PRIMARY.region,
          expectation:
            "The primary cell stands, the emergency users with it. Its rotation of keys only audits.",
          run: () => deploy(context, PRIMARY, { change: AUDIT, skipPreview: true }),
        },
        {
          name: "Confirm the mail subscriptions",
          expectation: "The security team has confirmed the subscription of each cell.",
          run: () => confirmMail(context),
        },
        {
          name: "Let the stewards check",
          expectation: "The function of each cell that checks emergency access every day does so now.",
          run: () => firstCheck(context),
        },
      ],
    },
    {
      name: "Guard rail",
      description: "A program whose credentials come from the global STS endpoint never gets to AWS.",
      steps: [
        {
          name: "Preview a program that asks sts.amazonaws.com",
          region: STANDBY.region,
          expectation: "The policy pack rejects it in the preview and says what to write instead.",
          run: () => previewGlobalSts(context),
        },
      ],
    },
    {
      name: "Rotation of access keys: audit",
      description:
        "Users of three member accounts have keys of all ages. The rotation only says what it would do.",
      steps: [
        {
          name: "Make users with keys of all ages",
          expectation: "Some keys are young, some old, one is exempt, and one user has two.",
          run: () => keys.createUsers(),
        },
        {
          name: "Run in audit mode",
          region: PRIMARY.region,
          expectation: "Owners are mailed what would be done, and nothing is changed. The standby stands by.",
          run: () => keys.audit(),
        },
        {
          name: "Begin to switch prod to enforce",
          region: PRIMARY.region,
          expectation: "The deployment goes on while the next steps are taken.",
          run: () => keys.beginToEnforce(),
        },
      ],
    },
    {
      name: "Emergency access, all regions well",
      description: "The custodians open the passwords; without a second factor they are worth nothing.",
      steps: [
        {
          name: "Open the passwords",
          expectation: "Each custodian's private key opens the one password that is theirs, and no other.",
          run: () => openPasswords(context),
        },
        {
          name: "Act without a second factor",
          region: PRIMARY.region,
          expectation: "Signing in gives a session that is denied everything.",
          run: () => actWithoutMfa(context),
        },
        {
          name: "Enrol the MFA devices",
          expectation:
            "An administrator enrols two TOTP devices and a security key for each user, who could not do it.",
          run: () => enrol(context),
        },
        {
          name: "Sign in with the second factor and act",
          region: PRIMARY.region,
          expectation: "The user is administrator, and the security team has a mail of it from the primary.",
          run: () => signInAndAct(context, context.first, PRIMARY, () => listUsers(context)),
        },
        {
          name: "Change the passwords",
          expectation: "Each was used, so each is changed; only its custodian can open the new one.",
          run: () => rotate(context),
        },
        {
          name: "Hold the quarterly exercise",
          region: STANDBY.region,
          expectation:
            "Two people sign in through us-west-2, both cells notice it, and it is recorded in both.",
          run: () => holdExercise(context),
        },
        {
          name: "Check every requirement",
          expectation: "Both stewards and an operator find every requirement met.",
          run: () => allGreen(context),
        },
      ],
    },
    {
      name: "Rotation of access keys: enforce",
      description: "Now the role in the member accounts may change keys.",
      steps: [
        {
          name: "See prod switched to enforce",
          region: PRIMARY.region,
          expectation:
            "The deployment has changed what it had to, and kept to every rule of the policy pack.",
          run: () => keys.seeEnforcing(),
        },
        {
          name: "Run in enforce mode",
          region: PRIMARY.region,
          expectation: "What was planned is done: keys that are due have a successor, their owners a mail.",
          run: () => keys.enforce(),
        },
        {
          name: "Read the new keys and work with them",
          region: PRIMARY.region,
          expectation:
            "A program in a member account reads its new key with the old one, and works with the new one.",
          run: () => keys.readAndWork(PRIMARY, ["deployer", "invoices"]),
        },
      ],
    },
    {
      name: "Approval of a dangerous operation",
      description: "A denied call becomes a request; two people decide; nobody gets permissions.",
      steps: [
        {
          name: "Try to terminate an instance",
          region: PRIMARY.region,
          expectation:
            "An operator of a member account is denied it, and asked by mail whether she meant it.",
          run: () => approvals.ask(PRIMARY),
        },
        {
          name: "Approve on two levels",
          region: PRIMARY.region,
          expectation:
            "Each level decides on its page; then the call is made, by a session for nothing else.",
          run: () => approvals.approve(PRIMARY),
        },
        {
          name: "Try once more",
          region: PRIMARY.region,
          expectation:
            "Links that were used do nothing, the operator is denied as before, the role is nobody's.",
          run: () => approvals.tryAgain(PRIMARY),
        },
        {
          name: "Ask by hand for a volume in another region",
          region: PRIMARY.region,
          expectation: "The command opens a request, and one of two levels approves it.",
          run: () => approvals.askByHand(),
        },
      ],
    },
    {
      name: "us-east-1 is gone",
      description: `us-east-1 and every global service ${context.outageMode === "hang" ? "hang" : "refuse connections"}: IAM, Organizations, global STS.`,
      steps: [
        {
          name: "Take us-east-1 and the global services away",
          region: PRIMARY.region,
          expectation: "Neither the region nor IAM answers, and nobody can sign in there.",
          run: () => beginOutage(context),
        },
        {
          name: "Check every requirement",
          region: STANDBY.region,
          expectation:
            "What the lost region and IAM would have to say is unknown; nothing is taken for a fault.",
          run: () => nothingFails(context),
        },
        {
          name: "Sign in through us-west-2 and act",
          region: STANDBY.region,
          expectation: "The other user is administrator there, and the DR cell's mail arrives.",
          run: () => signInAndAct(context, context.second, STANDBY, () => writeParameter(context, STANDBY)),
        },
        {
          name: "Try to terminate an instance in us-west-2",
          region: STANDBY.region,
          expectation: "The DR cell serves its own region, without being promoted.",
          run: () => approvals.ask(STANDBY),
        },
        {
          name: "Approve on two levels",
          region: STANDBY.region,
          expectation: "Mails, pages and the call need neither us-east-1 nor IAM.",
          run: () => approvals.approve(STANDBY),
        },
        {
          name: "A quarter of an hour later",
          region: STANDBY.region,
          expectation: "One message tells what went on, instead of one for each call.",
          run: () => digest(context),
        },
        {
          name: "Promote dr",
          region: STANDBY.region,
          expectation:
            "One write in us-west-2 makes the standby the acting cell; no lost region and no global service is needed.",
          run: () => promoteStandby(context),
        },
        {
          name: "Begin to rotate a key that became due",
          region: STANDBY.region,
          expectation: "The run in the acting cell goes on while the next steps are taken.",
          run: () => keys.beginToPause(),
        },
        {
          name: "Open the lost cell's request anew",
          region: STANDBY.region,
          expectation: "What waited in us-east-1 is listed, asked anew of everybody, and carried out once.",
          run: () => approvals.openAnew(),
        },
        {
          name: "Read the new key from its replica",
          region: STANDBY.region,
          expectation: "The program reads its new key in us-west-2 and works with it there.",
          run: () => keys.readAndWork(STANDBY, ["deployer"]),
        },
        {
          name: "Try to change a password",
          region: STANDBY.region,
          expectation: "IAM cannot do it now: the command says so, and nothing is changed or lost.",
          run: () => rotateInVain(context),
        },
        {
          name: "See the rotation pause",
          region: STANDBY.region,
          expectation: "IAM cannot do it now: the run has paused, says so by mail, and nothing is lost.",
          run: () => keys.pause(),
        },
      ],
    },
    {
      name: "The region returns",
      description: "us-east-1 answers again.",
      steps: [
        {
          name: "Bring us-east-1 back",
          region: PRIMARY.region,
          expectation: "The region and IAM answer.",
          run: () => endOutage(context),
        },
        {
          name: "See which cell acts",
          expectation:
            "Exactly one: the returned primary stands back before the promoted cell's higher epoch.",
          run: () => oneWriter(context),
        },
        {
          name: "Read the audit of approvals",
          expectation: "It has every decision and call of both cells, and no call twice.",
          run: () => approvals.audit(),
        },
        {
          name: "Rotate on in us-west-2",
          region: STANDBY.region,
          expectation: "The acting cell rotates what became due; the returned primary stands back.",
          run: () => keys.goOn(),
        },
        {
          name: "Give the work back; eleven days later",
          region: PRIMARY.region,
          expectation:
            "The primary goes on with both cells' rotations: it repeats none, and deactivates old keys that are idle.",
          run: () => keys.giveBack(),
        },
        {
          name: "Sign in through us-east-1 and act",
          region: PRIMARY.region,
          expectation: "Everything is as before, the primary's mail included.",
          run: () => signInAndAct(context, context.first, PRIMARY, () => listUsers(context)),
        },
        {
          name: "Change the passwords",
          expectation: "They were used during the outage: both are changed.",
          run: () => rotate(context),
        },
        {
          name: "Check every requirement",
          expectation: "Everything is ready for the next time.",
          run: () => allGreen(context),
        },
        {
          name: "An hour later",
          expectation: "Each cell reports once more, all that was done in the uses that are over.",
          run: () => closingReports(context),
        },
        {
          name: "Look for secrets",
          expectation: "No password and no seed stands in any state, file, log, record, report or mail.",
          run: () => noSecretAnywhere(context, [...keys.secrets, ...approvals.secrets]),
        },
      ],
    },
  ];
}
