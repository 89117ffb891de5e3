import { consoleSignInUrl, isRegionName } from "../../../components/regional/partition";

type Link = { title: string; url: string };

/** The address at which an account's users sign in to the console through the region, which works when other regions are lost (fact 12). */
export function signInLink(account: string, region: string): Link[] {
  if (!isRegionName(region) || !/^\d{12}$/.test(account)) return [];
  return [{ title: `Sign in through ${region}`, url: consoleSignInUrl(account, region) }];
}

/** A page of a service in the region's own console, for example `cloudwatch/home`. */
function consoleLink(title: string, region: string, page: string, fragment: string): Link[] {
  if (!isRegionName(region)) return [];
  // The console's domain is that of the sign-in addresses with "console" in place of "signin".
  const host = new URL(consoleSignInUrl("0".repeat(12), region)).host.replace(
    /^\d+\.signin\./,
    `${region}.console.`,
  );
  return [{ title, url: `https://${host}/${page}?region=${region}#${fragment}` }];
}

/** A CloudTrail event in the region's console. */
export function cloudTrailLink(region: string, eventId: string): Link[] {
  if (!/^[\w-]{1,64}$/.test(eventId)) return [];
  return consoleLink("Event in CloudTrail", region, "cloudtrailv2/home", `/events/${eventId}`);
}

/** A CloudWatch alarm in the region's console. */
export function alarmLink(region: string, alarmName: string): Link[] {
  return consoleLink(
    "Alarm in CloudWatch",
    region,
    "cloudwatch/home",
    `alarmsV2:alarm/${encodeURIComponent(alarmName)}`,
  );
}

/** The page of an IAM user's credentials, in the console of the region of IAM's control plane. */
export function iamUserLink(region: string, userName: string): Link[] {
  return consoleLink(
    "Security credentials in IAM",
    region,
    "iam/home",
    `/users/details/${encodeURIComponent(userName)}?section=security_credentials`,
  );
}
