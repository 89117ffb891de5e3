import type { EvidenceOf } from "../records/record";

type PasswordRecord = EvidenceOf<"passwordIssued">;

/**
 * The password records of a user that may hold the valid password, the likeliest first: nearly always one. There are more after a crash
 * between preparing a password and recording that it was set, and after two rotations at the same time.
 *
 * A rotation is left out when it was certainly not carried out, or when one that was carried out names it in `replaces`: then it was over
 * before that one began. Times decide the order of what is left, never what is left.
 *
 * @returns one record a rotation: the effective one where there is one
 */
export function currentPasswords(records: readonly PasswordRecord[], userName: string): PasswordRecord[] {
  const own = records.filter((record) => record.userName === userName);
  const abandoned = new Set<string>();
  const replaced = new Set<string>();
  const newest = new Map<string, PasswordRecord>();
  for (const record of own) {
    if (record.state === "abandoned") abandoned.add(record.rotationId);
    if (record.state === "effective") for (const id of record.replaces ?? []) replaced.add(id);
    const known = newest.get(record.rotationId);
    if (!known || record.state === "effective") newest.set(record.rotationId, record);
  }
  return [...newest.values()]
    .filter(
      ({ rotationId, state }) =>
        !replaced.has(rotationId) && (state === "effective" || !abandoned.has(rotationId)),
    )
    .sort((a, b) => {
      if (a.state !== b.state) return a.state === "effective" ? -1 : 1;
      return a.at > b.at ? -1 : 1;
    });
}

/**
 * Milliseconds after which a rotation that was only prepared is certainly over: it sends its change within two minutes or not at all, and AWS
 * refuses a request whose signature is older than 15 minutes.
 */
const OVER_AFTER_MS = 30 * 60_000;

/** The rotations of a user that are over by now: what a rotation that begins now replaces. */
export function finishedRotations(records: readonly PasswordRecord[], userName: string, now: Date): string[] {
  return currentPasswords(records, userName)
    .filter(({ state, at }) => state === "effective" || Date.parse(at) + OVER_AFTER_MS < now.getTime())
    .map(({ rotationId }) => rotationId)
    .slice(0, 100);
}

/** The rotation that was recorded last as carried out; undefined where the password is still the one that the deployment made. */
export function lastEffective(
  records: readonly PasswordRecord[],
  userName: string,
): PasswordRecord | undefined {
  return records
    .filter((record) => record.userName === userName && record.state === "effective")
    .reduce<PasswordRecord | undefined>(
      (last, record) => (last && last.at > record.at ? last : record),
      undefined,
    );
}

/**
 * The record by which a custodian has left and got no password of the user since: then nothing is issued to them, however the configuration
 * reads.
 */
export function departure(
  left: readonly EvidenceOf<"custodianLeft">[],
  passwords: readonly PasswordRecord[],
  userName: string,
  custodian: string,
): EvidenceOf<"custodianLeft"> | undefined {
  const issued = lastEffective(
    passwords.filter((record) => record.custodian === custodian),
    userName,
  );
  return left.filter((record) => record.custodian === custodian && record.at > (issued?.at ?? "")).at(-1);
}
