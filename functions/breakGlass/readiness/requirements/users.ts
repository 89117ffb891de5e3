/** Whether the users are there as they should be. */
import { command, redeploy } from "../command";
import { either, fail, judged, ofUser, pass, perAccount, perUser, type Requirement } from "../requirement";

/** The tag that keeps the key rotator away, and its value. */
const EXEMPT_TAG = { key: "bulkhead:key-rotation", value: "exempt" } as const;

export const USER_REQUIREMENTS: readonly Requirement[] = [
  perAccount({
    id: "at-least-two-users",
    group: "users",
    text: "At least two emergency users stand under the path, so that one lost password or device locks nobody out.",
    source: "seed",
    how: "iam:ListUsers with the path",
    mend: ({ ownerCell }) => redeploy(ownerCell),
    judge: ({ observations, policy }) =>
      judged(observations.account.usersUnderPath, (names) => {
        const there = policy.userNames.filter((name) => names.includes(name));
        return either(
          there.length >= 2,
          `${there.length} of ${policy.userNames.length} are under ${policy.path}: ${there.join(", ") || "none"}.`,
        );
      }),
  }),
  perAccount({
    id: "no-unlisted-users",
    group: "users",
    text: "Nobody else stands under the path: service control policies exempt it as a whole, and only listed users are watched.",
    source: "fact 21",
    how: "iam:ListUsers with the path",
    mend: ({ path }) => command("aws", "iam", "list-users", "--path-prefix", path),
    judge: ({ observations, policy }) =>
      judged(observations.account.usersUnderPath, (names) => {
        const strangers = names.filter((name) => !policy.userNames.includes(name));
        return strangers.length === 0
          ? pass("Only listed users are under the path.")
          : fail(
              `Not listed in emergencyUsers: ${strangers.join(", ")}. Find out who made them, then list or delete them.`,
            );
      }),
  }),
  perUser({
    id: "user-under-path",
    group: "users",
    text: "The user exists, under the path of emergency users.",
    source: "seed",
    how: "iam:GetUser",
    mend: (_, { ownerCell }) => redeploy(ownerCell),
    judge: ({ user }, { policy }) =>
      ofUser(user, ({ path }) =>
        either(path === policy.path, `Its path is ${path}.`, `Its path is ${path}, not ${policy.path}.`),
      ),
  }),
  perUser({
    id: "owner-and-purpose-tags",
    group: "users",
    text: "Tags say who keeps the user and what it is for.",
    source: "seed",
    how: "iam:GetUser",
    mend: (_, { ownerCell }) => redeploy(ownerCell),
    judge: ({ user }) =>
      ofUser(user, ({ tags }) => {
        const missing = ["owner", "purpose"].filter((key) => !tags[key]?.trim());
        return either(
          missing.length === 0,
          `Owner: ${tags.owner}.`,
          `Without the tag ${missing.join(" and ")}.`,
        );
      }),
  }),
  perUser({
    id: "no-access-key",
    group: "users",
    text: "The user has no access key: it is for people at the console.",
    source: "seed",
    how: "iam:ListAccessKeys",
    mend: (userName) => command("aws", "iam", "list-access-keys", "--user-name", userName),
    judge: ({ accessKeys }) =>
      ofUser(accessKeys, (count) =>
        either(
          count === 0,
          "It has none.",
          `It has ${count}. Find out who made ${count === 1 ? "it" : "them"}, then delete: aws iam delete-access-key.`,
        ),
      ),
  }),
  perUser({
    id: "rotation-exempt-tag",
    group: "users",
    text: `The tag ${EXEMPT_TAG.key} = ${EXEMPT_TAG.value} keeps the key rotator away from the user.`,
    source: "seed",
    how: "iam:GetUser",
    mend: (userName) =>
      command(
        "aws",
        "iam",
        "tag-user",
        "--user-name",
        userName,
        "--tags",
        `Key=${EXEMPT_TAG.key},Value=${EXEMPT_TAG.value}`,
      ),
    judge: ({ user }) =>
      ofUser(user, ({ tags }) =>
        either(
          tags[EXEMPT_TAG.key] === EXEMPT_TAG.value,
          "The tag is there.",
          `The tag is ${tags[EXEMPT_TAG.key] === undefined ? "missing" : `"${tags[EXEMPT_TAG.key]}"`}.`,
        ),
      ),
  }),
];
