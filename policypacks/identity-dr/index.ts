import type { Rule } from "./lib/rule";
import { breakGlassNoAccessKeys } from "./rules/breakGlassNoAccessKeys";
import { breakGlassRequiresMfa } from "./rules/breakGlassRequiresMfa";
import { noDefaultProvider } from "./rules/noDefaultProvider";
import { noGlobalStsEndpoint } from "./rules/noGlobalStsEndpoint";
import { stsEndpointMatchesRegion } from "./rules/stsEndpointMatchesRegion";

export type { Rule } from "./lib/rule";

/** The pack's rules. A new rule is a file in `rules/` and a line here. */
export const rules: readonly Rule[] = [
  noGlobalStsEndpoint,
  stsEndpointMatchesRegion,
  noDefaultProvider,
  breakGlassNoAccessKeys,
  breakGlassRequiresMfa,
];
