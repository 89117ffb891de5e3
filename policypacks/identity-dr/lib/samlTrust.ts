import {
  iamControlPlaneRegion,
  isRegionName,
  organizationsControlPlaneRegion,
  PARTITION_NAMES,
  samlAudience,
} from "../../../components/regional/partition";
import {
  type Condition,
  conditionHolds,
  conditions,
  hasEffect,
  type Statement,
  statements,
  texts,
} from "./iamDocument";
import { isObject, type Plain, property } from "./walk";

/** A SAML trust that only the sign-in endpoint without a region can use (fact 8). */
export interface GlobalOnlyTrust {
  /** The audience that is accepted, as written in the document where it is. */
  audience: string;
  /** The identity provider's ARN, or `*`. */
  provider: string;
}

const AUDIENCE_KEY = "saml:aud";

/** The sign-in host of each partition, without a region. */
const SIGN_IN_HOSTS = PARTITION_NAMES.map((partition) => {
  const region = iamControlPlaneRegion(partition);
  return new URL(samlAudience(region)).hostname.slice(region.length + 1);
});

/** Some real regions: a pattern such as `https://*.signin.aws.amazon.com/saml` is tried with them. */
const SAMPLE_REGIONS = PARTITION_NAMES.flatMap((partition) => [
  iamControlPlaneRegion(partition),
  organizationsControlPlaneRegion(partition),
]);
const SAMPLE_REGIONAL = SAMPLE_REGIONS.map(samlAudience);
const SAMPLE_GLOBAL = SIGN_IN_HOSTS.map((host) => `https://${host}/saml`);

/**
 * The identity providers of a role's trust policy that can only be used through the global sign-in endpoint. For each provider the
 * statements are taken together: one that accepts a regional audience is enough. A trust without a condition on `saml:aud` accepts
 * every audience. What is not known during preview counts as accepting.
 */
export function globalOnlySamlTrusts(document: Plain | undefined): GlobalOnlyTrust[] {
  const all = statements(document);
  if (!all) return [];
  const allows = all.filter((statement) => hasEffect(statement, "Allow") && isSaml(statement));
  const denies = all.filter((statement) => hasEffect(statement, "Deny") && isSaml(statement));
  const literals = [...allows, ...denies].flatMap(audienceValues).flatMap(instances);
  const global = [...literals, ...SAMPLE_GLOBAL].filter((audience) => audienceScope(audience) === "global");
  const regional = [...literals, ...SAMPLE_REGIONAL].filter(
    (audience) => audienceScope(audience) === "regional",
  );
  const providers = new Set(allows.flatMap(federatedProviders));
  return [...providers].flatMap((provider) => {
    const own = allows.filter((statement) => federatedProviders(statement).includes(provider));
    const accepts = (audience: string) =>
      own.some((statement) => mayAccept(statement, audience)) &&
      !denies.some((statement) => surelyDenies(statement, audience));
    const audience = global.find(accepts);
    return audience !== undefined && !regional.some(accepts) ? [{ audience, provider }] : [];
  });
}

/** What `*` of a pattern may stand for: a region, or the rest of one (`eu-*`). */
const FILLERS = [
  ...new Set(
    SAMPLE_REGIONS.flatMap((region) => [region, region.replace(/^[^-]+-/, ""), region.slice(-1), ""]),
  ),
];

/** A value itself, or texts that a pattern matches. */
function instances(value: string): string[] {
  if (!/[*?]/.test(value)) return [value];
  return FILLERS.map((filler) => value.replaceAll("*", filler).replaceAll("?", "1"));
}

/** Whether an audience is a sign-in endpoint with a region in its name, one without, or something else. */
function audienceScope(audience: string): "global" | "regional" | undefined {
  let url: URL;
  try {
    url = new URL(audience);
  } catch {
    return undefined;
  }
  const suffix = SIGN_IN_HOSTS.find((host) => url.hostname === host || url.hostname.endsWith(`.${host}`));
  if (suffix === undefined || !/^\/saml(?:\/|$)/.test(url.pathname)) return undefined;
  if (url.hostname === suffix) return "global";
  return isRegionName(url.hostname.slice(0, -suffix.length - 1)) ? "regional" : undefined;
}

function isSaml(statement: Statement): boolean {
  const actions = texts(property(statement, "Action")) ?? [];
  return (
    actions.some((action) => action.toLowerCase() === "sts:assumerolewithsaml") ||
    federatedProviders(statement).some((provider) => provider.includes(":saml-provider/")) ||
    (conditions(statement) ?? []).some(({ key }) => key === AUDIENCE_KEY)
  );
}

function federatedProviders(statement: Statement): string[] {
  const principal = property(statement, "Principal");
  const federated = isObject(principal) ? texts(property(principal, "Federated")) : undefined;
  return federated && federated.length > 0 ? federated : ["*"];
}

function audienceConditions(statement: Statement): Condition[] {
  return (conditions(statement) ?? []).filter(({ key }) => key === AUDIENCE_KEY);
}

function audienceValues(statement: Statement): string[] {
  return audienceConditions(statement).flatMap(({ values }) => values);
}

/** Whether the statement can hold for the audience: all its conditions on it do, or one cannot be judged. Other keys are assumed to. */
function mayAccept(statement: Statement, audience: string): boolean {
  if (!conditions(statement)) return true;
  return audienceConditions(statement).every((condition) => conditionHolds(condition, audience) !== false);
}

/** Whether the statement holds for the audience whatever else the request has. */
function surelyDenies(statement: Statement, audience: string): boolean {
  const all = conditions(statement);
  if (!all || all.length === 0) return false;
  return all.every(
    (condition) => condition.key === AUDIENCE_KEY && conditionHolds(condition, audience) === true,
  );
}
