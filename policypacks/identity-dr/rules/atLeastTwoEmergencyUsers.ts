import {
  EMERGENCY_USER_OPTIONS,
  isEmergencyUser,
  isUserType,
  mayBeEmergencyUser,
  userName,
} from "../lib/emergencyUsers";
import { defineRule } from "../lib/rule";

/** Rejects a stack that owns just one emergency user. */
export const atLeastTwoEmergencyUsers = defineRule({
  id: "at-least-two-emergency-users",
  title: "Two emergency users or more",
  description: "A stack that owns an emergency user must own two of them or more.",
  severity: "high",
  why: "One password or device may be out of reach on the day: its custodian cannot be found, or the device is broken.",
  looksAt: ["all users of the stack"],
  leavesAlone: ["stacks without emergency users, such as the DR cell's"],
  unknowns: "a user whose name and path are not known counts as an emergency user until they are known.",
  examples: {
    rejected:
      'new aws.iam.User("only", { name: "breakglass-admin-1", path: "/break-glass/" }, { provider });',
    accepted: `for (const name of ["breakglass-admin-1", "breakglass-admin-2"])
  new aws.iam.User(name, { name, path: "/break-glass/" }, { provider });`,
  },
  options: EMERGENCY_USER_OPTIONS,
  appliesTo: isUserType,
  stack(resources, users, report) {
    const emergency = resources.filter(({ props }) => isEmergencyUser(props, users));
    const [only] = emergency;
    const undecided = resources.filter((user) => !emergency.includes(user) && mayBeEmergencyUser(user.props));
    if (!only || emergency.length + undecided.length > 1) return;
    report(only, {
      path: "",
      found: `"${userName(only.props) ?? only.name}" is the stack's only emergency user`,
      instead: "make two or more, each with a password and devices of its own",
    });
  },
});
