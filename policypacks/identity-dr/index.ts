import type { Rule } from "./lib/rule";
import { alertTopicHasSubscription } from "./rules/alertTopicHasSubscription";
import { atLeastTwoEmergencyUsers } from "./rules/atLeastTwoEmergencyUsers";
import { auditTableProtected } from "./rules/auditTableProtected";
import { breakGlassAlarmInCell } from "./rules/breakGlassAlarmInCell";
import { breakGlassHasAdministrator } from "./rules/breakGlassHasAdministrator";
import { breakGlassNoAccessKeys } from "./rules/breakGlassNoAccessKeys";
import { breakGlassNoPasswordReset } from "./rules/breakGlassNoPasswordReset";
import { breakGlassPasswordEncrypted } from "./rules/breakGlassPasswordEncrypted";
import { breakGlassRequiresMfa } from "./rules/breakGlassRequiresMfa";
import { breakGlassUserPath } from "./rules/breakGlassUserPath";
import { eventsMayPublishWithoutCondition } from "./rules/eventsMayPublishWithoutCondition";
import { executorRoleTrust } from "./rules/executorRoleTrust";
import { noDefaultProvider } from "./rules/noDefaultProvider";
import { noGlobalStsEndpoint } from "./rules/noGlobalStsEndpoint";
import { noTaskTokenInUrl } from "./rules/noTaskTokenInUrl";
import { rotatorRoleScope } from "./rules/rotatorRoleScope";
import { secretsNotPublic } from "./rules/secretsNotPublic";
import { stsEndpointMatchesRegion } from "./rules/stsEndpointMatchesRegion";
import { trailProtected } from "./rules/trailProtected";

export type { Rule } from "./lib/rule";

/** The pack's rules. A new rule is a file in `rules/` and a line here. */
export const rules: readonly Rule[] = [
  noGlobalStsEndpoint,
  stsEndpointMatchesRegion,
  noDefaultProvider,
  breakGlassNoAccessKeys,
  breakGlassRequiresMfa,
  breakGlassUserPath,
  breakGlassPasswordEncrypted,
  breakGlassNoPasswordReset,
  breakGlassHasAdministrator,
  atLeastTwoEmergencyUsers,
  breakGlassAlarmInCell,
  eventsMayPublishWithoutCondition,
  alertTopicHasSubscription,
  trailProtected,
  secretsNotPublic,
  rotatorRoleScope,
  executorRoleTrust,
  auditTableProtected,
  noTaskTokenInUrl,
];
