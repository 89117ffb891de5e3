import type { DrillPhase, DrillRun, DrillStep } from "../../../local/report";

/** A step of the sample: what, where, what is expected, how long it takes in milliseconds. */
type Sample = [
  name: string,
  region: string | undefined,
  expectation: string,
  durationMs: number,
  more?: Partial<DrillStep>,
];

const START = Date.parse("2026-03-01T09:00:00.000Z");

/**
 * A run as the drill of a newcomer's laptop leaves it: both cells deployed, us-east-1 lost, the emergency
 * user at work in us-west-2. Always the same; for tests and for the README's picture.
 */
export function sampleRun(): DrillRun {
  let clock = START;
  const phases: DrillPhase[] = [];
  const phase = (name: string, description: string, steps: Sample[]) => {
    const from = clock;
    const run = steps.map(([step, region, expectation, durationMs, more = {}]): DrillStep => {
      const startedAt = new Date(clock).toISOString();
      clock += durationMs + 40;
      return {
        name: step,
        ...(region === undefined ? {} : { region }),
        expectation,
        outcome: "passed",
        startedAt,
        durationMs,
        ...more,
      };
    });
    phases.push({
      name,
      description,
      startedAt: new Date(from).toISOString(),
      durationMs: clock - from,
      steps: run,
    });
  };

  phase("Deploy", "Both cells come up beforehand, with the policy pack enforced.", [
    [
      "Preview with the global STS endpoint",
      undefined,
      "The policy pack rejects it",
      2310,
      {
        detail: "Rejected before anything was created.",
        evidence: [
          { label: "rule", value: "no-global-sts-endpoint (mandatory)" },
          { label: "property", value: "endpoints[0].sts" },
        ],
      },
    ],
    ["Deploy prod", "us-east-1", "Every resource is created", 11_840],
    ["Deploy dr", "us-west-2", "Every resource is created, none needs prod", 8_420],
  ]);
  phase("Normal day", "An emergency user is used while everything works.", [
    ["Sign in with password and MFA", "us-east-1", "A session with MFA", 96],
    ["List roles", "us-east-1", "Allowed", 24],
    [
      "List roles without MFA",
      "us-east-1",
      "Denied",
      21,
      {
        evidence: [{ label: "answer", value: "AccessDenied: explicit deny in bulkhead-deny-without-mfa" }],
      },
    ],
    ["Wait for the alarm", "us-east-1", "A mail within 10 s", 412],
  ]);
  const outageStart = clock;
  phase("Region lost", "us-east-1 and every global service refuse every call.", [
    ["Lose us-east-1", "us-east-1", "Calls to it and to IAM are refused", 31],
    ["Call IAM", "us-east-1", "No answer", 18, { evidence: [{ label: "answer", value: "ECONNRESET" }] }],
    ["Sign in with password and MFA", "us-west-2", "A session with MFA", 104],
    ["Describe instances", "us-west-2", "Allowed", 33],
    ["Describe instances without MFA", "us-west-2", "Denied", 19],
    ["Wait for the alarm of the DR cell", "us-west-2", "A mail within 10 s", 388],
    [
      "Look at the calls of the DR cell",
      "us-west-2",
      "None went to us-east-1 or a global service",
      12,
      {
        evidence: [{ label: "calls of its functions", value: "14, all in us-west-2" }],
      },
    ],
  ]);
  const outageEnd = clock;
  phase("Region back", "us-east-1 answers again.", [
    ["End the outage", "us-east-1", "IAM answers", 44],
    ["Preview prod", "us-east-1", "Nothing to change", 3_120],
    ["Preview dr", "us-west-2", "Nothing to change", 2_870],
  ]);

  const mailText = (region: string) =>
    [
      "The emergency user breakglass-admin-1 was used.",
      "",
      "What:     ConsoleLogin, succeeded with MFA",
      `Where:    account 222222222222, ${region}`,
      "From:     198.51.100.7",
      "",
      "If this was not agreed, follow the runbook now.",
    ].join("\n");
  const alarmAt = (name: string) => {
    const step = phases.flatMap(({ steps }) => steps).find((candidate) => candidate.name === name);
    return new Date(Date.parse(step?.startedAt ?? "") + (step?.durationMs ?? 0) - 9).toISOString();
  };

  return {
    title: "us-east-1 is lost: emergency access from us-west-2",
    startedAt: new Date(START - 1_200).toISOString(),
    finishedAt: new Date(clock + 300).toISOString(),
    engine: "Bulkhead's local engine (no pulumi on PATH)",
    aws: "MiniStack 1.5.33 with Bulkhead's overlay",
    outcome: "passed",
    cells: [
      { name: "prod", region: "us-east-1", role: "primary" },
      { name: "dr", region: "us-west-2", role: "standby" },
    ],
    phases,
    outage: {
      regions: ["us-east-1"],
      globalServices: true,
      mode: "refuse",
      startedAt: new Date(outageStart + 5).toISOString(),
      endedAt: new Date(outageEnd + 5).toISOString(),
    },
    calls: {
      duringOutage: [
        { region: "us-east-1", service: "iam", outcome: "refused", count: 3 },
        { region: "us-east-1", service: "sts", outcome: "refused", count: 1 },
        { region: "us-west-2", service: "ec2", outcome: "passed", count: 2 },
        { region: "us-west-2", service: "sns", outcome: "passed", count: 4 },
        { region: "us-west-2", service: "sts", outcome: "passed", count: 7 },
        { region: "us-west-2", service: "dynamodb", outcome: "passed", count: 11 },
      ],
    },
    mails: [
      {
        at: alarmAt("Wait for the alarm"),
        region: "us-east-1",
        subject: "Emergency user breakglass-admin-1 signed in (us-east-1)",
        to: ["security@example.com"],
        latencyMs: 403,
        text: mailText("us-east-1"),
      },
      {
        at: alarmAt("Wait for the alarm of the DR cell"),
        region: "us-west-2",
        subject: "Emergency user breakglass-admin-1 signed in (us-west-2)",
        to: ["security@example.com", "on-call@example.com"],
        latencyMs: 379,
        text: mailText("us-west-2"),
      },
    ],
    resources: { prod: 64, dr: 52 },
    policy: [
      {
        rule: "no-global-sts-endpoint",
        enforcement: "mandatory",
        message:
          "aws provider prod-us-east-1: endpoints[0].sts is https://sts.amazonaws.com; write https://sts.us-east-1.amazonaws.com instead.",
      },
    ],
    timings: [
      { name: "Start the emulated AWS", durationMs: 910 },
      { name: "Build functions and policy pack", durationMs: 1_640 },
      { name: "Reject the global STS endpoint", durationMs: 2_310 },
      { name: "Deploy prod", durationMs: 11_840 },
      { name: "Deploy dr", durationMs: 8_420 },
      { name: "Drill", durationMs: 7_450 },
      { name: "Write the report", durationMs: 30 },
    ],
  };
}

/** Texts that would do harm in a page that takes them as they are. */
export const HOSTILE = [
  `<script>document.title="owned"</script>`,
  `"><img src=x onerror=alert(1)>`,
  `' onmouseover='alert(1)`,
  `</style><style>body{display:none}</style>`,
  `</title></svg></pre><iframe src="https://evil.example/">`,
  `javascript:alert(1)//&lt;b&gt;&amp;`,
  `\u202egnp.exe \u0000\u0007\ud800`,
  `{{constructor.constructor("alert(1)")()}} \${1+1}`,
];

/** The sample run with a hostile string at the end of every text in it (names of outcomes and times stay). */
export function hostileRun(): DrillRun {
  let next = 0;
  const keep = new Set(["outcome", "mode", "enforcement", "startedAt", "finishedAt", "endedAt", "at"]);
  // Regions and cell names have to stay equal to each other, so the same text always gets the same addition.
  const added = new Map<string, string>();
  const spoil = (text: string) => {
    const known = added.get(text);
    if (known !== undefined) return known;
    const spoilt = `${text} ${HOSTILE[next % HOSTILE.length]}`;
    next += 1;
    added.set(text, spoilt);
    return spoilt;
  };
  const walk = (value: unknown, key: string): unknown => {
    if (typeof value === "string") return keep.has(key) ? value : spoil(value);
    if (Array.isArray(value)) return value.map((item) => walk(item, key));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, walk(item, name)]));
  };
  return walk(sampleRun(), "") as DrillRun;
}
