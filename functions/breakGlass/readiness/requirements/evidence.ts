/** Whether people have tried it lately, and who keeps what. */
import { command } from "../command";
import { together } from "../observed";
import { either, fail, judged, perAccount, perUser, type Requirement } from "../requirement";

const DAY = 24 * 3600 * 1000;

export const EVIDENCE_REQUIREMENTS: readonly Requirement[] = [
  perAccount({
    id: "drill-held",
    group: "evidence",
    text: "The last drill passed, and is younger than the configured age, 90 days by default.",
    source: "seed",
    how: "records of drills in both cells",
    mend: () => command("bulkhead", "break-glass", "drill"),
    judge: ({ evidence, policy, now }) =>
      judged(evidence, ({ drillHeld }) => {
        const last = [...drillHeld].sort((a, b) => (a.at < b.at ? -1 : 1)).at(-1);
        if (last === undefined) return fail("None was ever held.");
        const age = Math.floor((now.getTime() - Date.parse(last.at)) / DAY);
        return either(
          last.outcome === "passed" && age < policy.drillMaxAgeDays,
          `The last was held ${last.at.slice(0, 10)} (${age} days ago) as ${last.userName} in ${last.region}, and ${
            last.outcome === "aborted" ? "was aborted" : last.outcome
          }.`,
        );
      }),
  }),
  perUser({
    id: "custodian-recorded",
    group: "evidence",
    text: "Somebody who has not left keeps the user's password.",
    source: "seed",
    how: "records of rotations and custodians in both cells, else the user's tag owner",
    mend: (userName) => command("bulkhead", "break-glass", "rotate", "--user", userName),
    judge: ({ user }, { evidence }, userName) =>
      judged(together([user, evidence]), ([observed, records]) => {
        if (observed === null) return fail("There is no such user.");
        const issued = records.passwordIssued
          .filter((record) => record.userName === userName && record.state === "effective")
          .sort((a, b) => (a.at < b.at ? -1 : 1))
          .at(-1);
        const custodian = issued?.custodian ?? observed.tags.owner;
        if (!custodian) return fail("Nobody is recorded.");
        const left = records.custodianLeft.find(
          (record) => record.custodian === custodian && record.at >= (issued?.at ?? ""),
        );
        return either(
          left === undefined,
          `${custodian} keeps it.`,
          `${custodian} keeps it, and has left (${left?.at.slice(0, 10)}).`,
        );
      }),
  }),
];
