import { EMERGENCY_USER_OPTIONS, isEmergencyName, isUserType, userName } from "../lib/emergencyUsers";
import { defineRule } from "../lib/rule";
import { property, text, UNKNOWN } from "../lib/walk";

/** Rejects emergency users outside the path that guard rails exempt. */
export const breakGlassUserPath = defineRule({
  id: "break-glass-user-path",
  title: "Emergency users at their path",
  description: "An emergency user must stand at the emergency path or below.",
  severity: "high",
  why:
    "Service control policies, the boundary manager and key rotation exempt emergency users by their path. A user elsewhere is subject to all " +
    "of them, and is found out on the day.",
  looksAt: ["the path of each user whose name is that of an emergency user"],
  leavesAlone: ["users of other names, wherever they are"],
  unknowns: "a path that is not known is passed over until it is.",
  examples: {
    rejected: 'new aws.iam.User("user", { name: "breakglass-admin-1" }, { provider });',
    accepted:
      'new aws.iam.User("user", { name: "breakglass-admin-1", path: "/break-glass/" }, { provider });',
  },
  options: EMERGENCY_USER_OPTIONS,
  appliesTo: isUserType,
  resource({ props }, users, report) {
    const name = userName(props);
    const given = property(props, "path");
    if (name === undefined || !isEmergencyName(name, users) || given === UNKNOWN) return;
    // IAM's own default.
    const path = text(given) ?? "/";
    if (users.paths.some((wanted) => path.startsWith(wanted))) return;
    report({
      path: "path",
      found: `emergency user "${name}" stands at "${path}"`,
      instead: `write path: ${users.paths.map((wanted) => JSON.stringify(wanted)).join(" or ")}`,
    });
  },
});
