/** Whether a use would be noticed: in each cell by its own means. */
import { command, redeploy } from "../command";
import { type ObservedRule, ruleKey } from "../observations";
import { together } from "../observed";
import type { ExpectedCell, ExpectedRule } from "../policy";
import { either, fail, judged, pass, perCell, type Requirement } from "../requirement";

const ENABLED = "ENABLED";

const ofRegion = (region: string) => ["--region", region];

/** What is wrong with a rule; undefined when nothing is. `isSwitch`: it only has to be switched on again. */
function wrongWith(
  rule: ExpectedRule,
  found: ObservedRule | null,
): { what: string; isSwitch?: true } | undefined {
  if (found === null) return { what: "There is no such rule." };
  if (found.state !== rule.state) {
    const what = `Its state is ${found.state}, not ${rule.state}.`;
    // EnableRule knows one kind of "on" only.
    return rule.state === ENABLED ? { what, isSwitch: true } : { what };
  }
  const missing = rule.targetArns.filter((target) => !found.targetArns.includes(target));
  return missing.length === 0 ? undefined : { what: `It does not send to ${missing.join(", ")}.` };
}

const enable = ({ name, bus, region }: ExpectedRule) =>
  command("aws", "events", "enable-rule", "--name", name, "--event-bus-name", bus, ...ofRegion(region));

const HOW_RULES = "events:DescribeRule, events:ListTargetsByRule";

/** A requirement of a cell as such. */
const ofCell = (
  described: Pick<Requirement, "id" | "text" | "source" | "how"> & {
    name: (cell: ExpectedCell) => string;
    mend: (cell: ExpectedCell) => string;
    judge: Parameters<typeof perCell<ExpectedCell>>[0]["judge"];
  },
): Requirement =>
  perCell<ExpectedCell>({
    ...described,
    group: "monitoring",
    per: "cell",
    items: (cell) => [cell],
    name: (_, cell) => described.name(cell),
    mend: (_, cell) => described.mend(cell),
  });

const topicName = ({ topicArn }: ExpectedCell) => topicArn.split(":").at(-1)!;
const forTopic = ({ topicArn, region }: ExpectedCell) => ["--topic-arn", topicArn, ...ofRegion(region)];

export const MONITORING_REQUIREMENTS: readonly Requirement[] = [
  perCell({
    id: "event-rules",
    group: "monitoring",
    text: "The cell's event rules are there, in the right state, with their targets.",
    source: "fact 20",
    how: HOW_RULES,
    per: "rule",
    items: (cell) => cell.rules.filter(({ region }) => region === cell.region),
    name: ({ name, bus }) => `${name} on bus ${bus}`,
    mend: (_, { name }) => redeploy(name),
    judge: ({ rules }, rule) =>
      judged(rules[ruleKey(rule)]!, (found) => {
        const wrong = wrongWith(rule, found);
        return wrong === undefined
          ? pass(`${rule.state}, with its target.`)
          : fail(wrong.what, wrong.isSwitch && enable(rule));
      }),
  }),
  perCell({
    id: "sign-in-region-rules",
    group: "monitoring",
    text: "In every other region that may record a sign-in, rules send it to the cell.",
    source: "fact 17",
    how: HOW_RULES,
    per: "region",
    items: (cell) => [
      ...new Set(cell.rules.map(({ region }) => region).filter((region) => region !== cell.region)),
    ],
    name: (region) => region,
    // These rules belong to the stack that owns what is global.
    mend: (_, __, { ownerCell }) => redeploy(ownerCell),
    judge: ({ rules }, region, cell) => {
      const expected = cell.rules.filter((rule) => rule.region === region);
      return judged(together(expected.map((rule) => rules[ruleKey(rule)]!)), (found) => {
        const wrong = expected.flatMap((rule, index) => {
          const problem = wrongWith(rule, found[index]!);
          return problem === undefined ? [] : [{ rule, ...problem }];
        });
        return wrong.length === 0
          ? pass(`All ${expected.length} rules send to the cell.`)
          : fail(
              wrong.map(({ rule, what }) => `${rule.name}: ${what}`).join(" "),
              wrong.every(({ isSwitch }) => isSwitch)
                ? wrong.map(({ rule }) => enable(rule)).join("\n")
                : undefined,
            );
      });
    },
  }),
  ofCell({
    id: "alert-topic",
    text: "The topic that alerts go to is there, and encrypted.",
    source: "fact 25",
    how: "sns:GetTopicAttributes",
    name: topicName,
    mend: ({ name }) => redeploy(name),
    judge: ({ topic }) =>
      judged(topic, (found) =>
        found === null
          ? fail("There is no such topic.")
          : either(found.encrypted, "It is there.", "It is not encrypted."),
      ),
  }),
  ofCell({
    id: "alert-subscription",
    text: "At least one subscription of the topic is confirmed: somebody gets the alerts.",
    source: "seed",
    how: "sns:ListSubscriptionsByTopic",
    name: topicName,
    mend: (cell) => command("aws", "sns", "list-subscriptions-by-topic", ...forTopic(cell)),
    judge: ({ subscriptions }) =>
      judged(subscriptions, (found) => {
        if (found === null) return fail("There is no such topic.");
        const confirmed = found.filter((subscription) => subscription.confirmed).length;
        return either(confirmed > 0, `${confirmed} confirmed.`, "None is confirmed.");
      }),
  }),
  ofCell({
    id: "no-pending-subscription",
    text: "No subscription waits to be confirmed: who thinks that they get alerts does.",
    source: "seed",
    how: "sns:ListSubscriptionsByTopic",
    name: topicName,
    mend: (cell) => command("aws", "sns", "list-subscriptions-by-topic", ...forTopic(cell)),
    judge: ({ subscriptions }, cell) =>
      judged(subscriptions, (found) => {
        if (found === null) return fail("There is no such topic.");
        const pending = found.filter((subscription) => !subscription.confirmed);
        return pending.length === 0
          ? pass("None waits.")
          : fail(
              `Not confirmed: ${pending.map(({ endpoint }) => endpoint).join(", ")}.`,
              pending
                .map(({ protocol, endpoint }) =>
                  command(
                    "aws",
                    "sns",
                    "subscribe",
                    ...forTopic(cell),
                    "--protocol",
                    protocol,
                    "--notification-endpoint",
                    endpoint,
                  ),
                )
                .join("\n"),
            );
      }),
  }),
  ofCell({
    id: "trail",
    text: "The cell has a trail of its own: multi-region, homed here, signed, with global services and its log group.",
    source: "fact 25",
    how: "cloudtrail:GetTrail",
    name: ({ trail }) => trail.name,
    mend: ({ name }) => redeploy(name),
    judge: ({ trail }, cell) =>
      judged(trail, (found) => {
        if (found === null) return fail("There is no such trail.");
        const wrong = [
          !found.multiRegion && "it is of one region only",
          !found.globalServiceEvents && "it leaves global services out",
          !found.validated && "its log files are not signed",
          found.homeRegion !== cell.region && `its home is ${found.homeRegion}`,
          found.bucketName !== cell.trail.bucketName && `it writes to the bucket ${found.bucketName}`,
          !found.logGroupArn?.includes(`:log-group:${cell.trail.logGroupName}:`) &&
            `it does not feed the log group ${cell.trail.logGroupName}`,
        ].filter((each) => each !== false);
        return either(wrong.length === 0, "It is as it should be.", `${wrong.join(", ")}.`);
      }),
  }),
  ofCell({
    id: "trail-events",
    text: "The trail records reading and writing calls of all services.",
    source: "fact 20",
    how: "cloudtrail:GetEventSelectors",
    name: ({ trail }) => trail.name,
    mend: ({ name }) => redeploy(name),
    judge: ({ trailRecordsManagementEvents }) =>
      judged(trailRecordsManagementEvents, (found) =>
        found === null
          ? fail("There is no such trail.")
          : either(found, "It records them.", "It leaves some management events out."),
      ),
  }),
  ofCell({
    id: "trail-logging",
    text: "The trail records: without one, no event rule sees a call.",
    source: "fact 20",
    how: "cloudtrail:GetTrailStatus",
    name: ({ trail }) => trail.name,
    mend: ({ trail, region }) =>
      command("aws", "cloudtrail", "start-logging", "--name", trail.name, ...ofRegion(region)),
    judge: ({ trailStatus }, cell) =>
      judged(trailStatus, (found) =>
        found === null
          ? fail("There is no such trail.", redeploy(cell.name))
          : either(found.logging, "It records.", "It has been stopped."),
      ),
  }),
  ofCell({
    id: "trail-delivery",
    text: "What the trail records arrives in its bucket and its log group.",
    source: "seed",
    how: "cloudtrail:GetTrailStatus",
    name: ({ trail }) => trail.name,
    mend: ({ trail, region }) =>
      command("aws", "cloudtrail", "get-trail-status", "--name", trail.name, ...ofRegion(region)),
    judge: ({ trailStatus }, cell) =>
      judged(trailStatus, (found) => {
        if (found === null) return fail("There is no such trail.", redeploy(cell.name));
        const wrong = [
          found.deliveryError && `the bucket: ${found.deliveryError}`,
          found.logGroupDeliveryError && `the log group: ${found.logGroupDeliveryError}`,
        ].filter(Boolean);
        return either(wrong.length === 0, "No error.", `The last delivery failed, ${wrong.join(", ")}.`);
      }),
  }),
  ofCell({
    id: "trail-bucket",
    text: "The trail's bucket is encrypted and closed to the public.",
    source: "seed",
    how: "s3:GetBucketEncryption, s3:GetPublicAccessBlock",
    name: ({ trail }) => trail.bucketName,
    mend: ({ name }) => redeploy(name),
    judge: ({ bucketEncrypted, bucketPublicAccessBlocked }) =>
      judged(together([bucketEncrypted, bucketPublicAccessBlocked]), ([encrypted, blocked]) => {
        if (encrypted === null || blocked === null) return fail("There is no such bucket.");
        const wrong = [
          !encrypted && "not encrypted with a key of its own",
          !blocked && "not closed to the public",
        ].filter(Boolean);
        return either(wrong.length === 0, "Encrypted and closed.", `It is ${wrong.join(" and ")}.`);
      }),
  }),
  perCell({
    id: "metric-filters",
    group: "monitoring",
    text: "The log group's metric filters count the uses of every emergency user.",
    source: "seed",
    how: "logs:DescribeMetricFilters",
    per: "cell",
    items: ({ metricFilters }) => metricFilters,
    name: (filter) => filter,
    mend: (_, { name }) => redeploy(name),
    judge: ({ metricFilters }, filter, { trail }) =>
      judged(metricFilters, (found) => {
        if (found === null) return fail(`There is no log group ${trail.logGroupName}.`);
        return either(found.includes(filter), "It is there.", "There is no such filter.");
      }),
  }),
  perCell({
    id: "alarms",
    group: "monitoring",
    text: "The alarms are there, switched on, and tell the topic.",
    source: "seed",
    how: "cloudwatch:DescribeAlarms",
    per: "alarm",
    items: (cell) => cell.alarms,
    name: (alarm) => alarm,
    mend: (alarm, { region }) =>
      command("aws", "cloudwatch", "enable-alarm-actions", "--alarm-names", alarm, ...ofRegion(region)),
    judge: ({ alarms }, alarm, cell) =>
      judged(alarms, (found) => {
        const state = found[alarm];
        if (state === undefined) return fail("There is no such alarm.", redeploy(cell.name));
        if (!state.actionsEnabled) return fail("Its actions are switched off.");
        return state.actionArns.includes(cell.topicArn)
          ? pass("It tells the topic.")
          : fail("It does not tell the topic.", redeploy(cell.name));
      }),
  }),
  ofCell({
    id: "readiness-alarms",
    text: "Each requirement has an alarm of the steward's that is switched on and tells the topic.",
    source: "seed",
    how: "cloudwatch:DescribeAlarms",
    name: ({ readinessAlarms }) => `${readinessAlarms.length} alarms`,
    mend: ({ name }) => redeploy(name),
    judge: ({ alarms }, cell) =>
      judged(alarms, (found) => {
        const wrong = cell.readinessAlarms.filter(
          (name) => !found[name]?.actionsEnabled || !found[name].actionArns.includes(cell.topicArn),
        );
        return either(
          wrong.length === 0,
          "All are there and tell the topic.",
          `Missing, switched off or telling nobody: ${wrong.join(", ")}.`,
        );
      }),
  }),
  perCell({
    id: "dead-letters",
    group: "monitoring",
    text: "No alert waits in a queue of those that could not be delivered.",
    source: "fact 22",
    how: "sqs:GetQueueAttributes",
    per: "queue",
    items: ({ queues }) => queues,
    name: (queue) => queue,
    mend: (queue, { region }) =>
      command("aws", "sqs", "get-queue-url", "--queue-name", queue, ...ofRegion(region)),
    judge: ({ queues }, queue, cell) =>
      judged(queues[queue]!, (waiting) =>
        waiting === null
          ? fail("There is no such queue.", redeploy(cell.name))
          : either(waiting === 0, "It is empty.", `${waiting} wait.`),
      ),
  }),
];
