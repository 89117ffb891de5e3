import { createHash } from "node:crypto";
import { expect } from "chai";
import * as fc from "fast-check";
import { Marked } from "marked";
import { OutputsError, runbookInput, type StackFacts } from "../../../functions/breakGlass/runbook/fromStack";
import type { RunbookInput } from "../../../functions/breakGlass/runbook/input";
import { instructionsPage } from "../../../functions/breakGlass/runbook/instructions";
import { code, markdown, table } from "../../../functions/breakGlass/runbook/markdown";
import { markdownPage } from "../../../functions/breakGlass/runbook/page";
import { runbookMarkdown, runbookTitle } from "../../../functions/breakGlass/runbook/runbook";
import { launchChromium } from "../../report/support/chromium";

const NOW = new Date("2026-03-02T09:00:00.000Z");
const FACTS: StackFacts = {
  stack: "prod",
  region: "us-east-1",
  peerName: "dr",
  peerRegion: "us-west-2",
  accountId: "222222222222",
  namePrefix: "bulkhead",
  users: [
    { userName: "breakglass-admin-1", custodian: "alice@example.com" },
    { userName: "breakglass-admin-2", custodian: "bob@example.com" },
  ],
  useIdleSeconds: 1_800,
  rotatesAfterUse: false,
  memberRoleName: undefined,
};
const OUTPUTS = {
  cellName: "prod",
  region: "us-east-1",
  signInUrl: "https://222222222222.signin.aws.amazon.com/console?region=us-east-1",
  alertTopicArn: "arn:aws:sns:us-east-1:222222222222:own-alerts",
  recordsTableName: "own-records",
  trailArn: "arn:aws:cloudtrail:us-east-1:222222222222:trail/own-trail",
  trailBucketName: "own-bucket",
  trailLogGroupName: "/own/log-group",
  keyArn: "arn:aws:kms:us-east-1:222222222222:key/1",
};
const CHINA: StackFacts = { ...FACTS, region: "cn-north-1", peerRegion: "cn-northwest-1" };
const GOVCLOUD: StackFacts = { ...FACTS, region: "us-gov-west-1", peerRegion: "us-gov-east-1" };

function inputOf(facts: StackFacts = FACTS): RunbookInput {
  const host = { cn: "signin.amazonaws.cn", us: "signin.aws.amazon.com" };
  const suffix = facts.region.startsWith("cn-")
    ? host.cn
    : facts.region.startsWith("us-gov-")
      ? "signin.amazonaws-us-gov.com"
      : host.us;
  const signInUrl = `https://${facts.accountId}.${suffix}/console?region=${facts.region}`;
  return runbookInput(facts, { ...OUTPUTS, cellName: facts.stack, region: facts.region, signInUrl }, NOW);
}

const CIPHERTEXT = "-----BEGIN PGP MESSAGE-----\n\nwcFMA<&>\n-----END PGP MESSAGE-----\n";
const INSTRUCTIONS = {
  userName: "breakglass-admin-1",
  custodian: "alice@example.com",
  keyFingerprint: "0123456789ABCDEF0123456789ABCDEF01234567",
  ciphertext: { fileName: "breakglass-admin-1.pgp.asc", text: CIPHERTEXT },
};

/** What makes a page need something else than itself. */
const EXTERNAL = /<(?:script|link|img|iframe|object|embed|form|base)\b|@import|url\(|srcset|\son\w+=/i;

/** In a browser: what one can only read by scrolling sideways. */
const CUT_OFF =
  "[...document.querySelectorAll('.stack, pre, td')].filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.textContent)";
/** In a browser: what is typed from the page and stands on two lines, so that a hyphen may be taken for one of the line's. */
const BROKEN_NAMES =
  "[...document.querySelectorAll('.whole, code.short')].filter((e) => e.getClientRects().length > 1).map((e) => e.textContent)";

describe("the runbook's input", () => {
  it("has the stack's own names from its outputs, and the other cell's from the configuration", () => {
    const { own, peer } = inputOf();
    expect(own).to.include({ trailBucketName: "own-bucket", recordsTableName: "own-records", name: "prod" });
    expect(peer).to.include({
      name: "dr",
      region: "us-west-2",
      signInUrl: "https://222222222222.signin.aws.amazon.com/console?region=us-west-2",
      alertTopicArn: "arn:aws:sns:us-west-2:222222222222:bulkhead-breakglass-alerts",
      trailBucketName: "bulkhead-trail-dr-222222222222-us-west-2",
      trailLogGroupName: "/bulkhead/bulkhead-trail-dr",
      recordsTableName: "bulkhead-breakglass-records-dr",
    });
    expect(peer.ruleNames).to.include.members(["bulkhead-breakglass-signin", "bulkhead-breakglass-use"]);
    expect(peer.alarmNames).to.deep.equal([
      "BreakglassAccountUsed-breakglass-admin-1",
      "BreakglassAccountUsed-breakglass-admin-2",
    ]);
  });

  it("names all outputs that are missing, at once, and how to make them", () => {
    const { trailArn: _, trailBucketName: __, ...rest } = OUTPUTS;
    expect(() => runbookInput(FACTS, rest, NOW)).to.throw(
      OutputsError,
      /^The outputs lack trailArn, trailBucketName\. Make them with: pulumi stack output -s prod --json\..*pulumi up -s prod$/,
    );
    expect(() => runbookInput(FACTS, { ...OUTPUTS, region: 3 }, NOW)).to.throw(OutputsError, "lack region.");
    for (const none of [null, [], "text"]) {
      expect(() => runbookInput(FACTS, none, NOW)).to.throw(OutputsError, "not a JSON object");
    }
  });

  it("refuses the outputs of another stack", () => {
    expect(() => runbookInput({ ...FACTS, stack: "dr" }, OUTPUTS, NOW)).to.throw(
      OutputsError,
      'cellName is "prod", and the configuration of dr says "dr"',
    );
    expect(() => runbookInput({ ...FACTS, accountId: "333333333333" }, OUTPUTS, NOW)).to.throw(
      OutputsError,
      "signInUrl",
    );
  });
});

describe("the runbook", () => {
  const text = runbookMarkdown(inputOf());

  it("has every part that is needed on the day and after", () => {
    const headings = [...text.matchAll(/^## (.*)$/gm)].map((match) => match[1]);
    expect(headings).to.deep.equal([
      "When to use it",
      "Who decides",
      "What will not work",
      "Step by step",
      "When two sides declare each other dead",
      "Evidence to keep",
      "Afterwards: audit",
      "Rotate and close",
      "When something does not work",
      "Names",
      "Log of this emergency",
    ]);
  });

  it("puts the address of IAM's control plane's region last (fact 12)", () => {
    for (const [facts, first, last] of [
      [FACTS, "us-west-2", "us-east-1"],
      [CHINA, "cn-northwest-1", "cn-north-1"],
      [GOVCLOUD, "us-gov-east-1", "us-gov-west-1"],
      [{ ...FACTS, region: "eu-west-1", peerRegion: "eu-central-1" }, "eu-west-1", "eu-central-1"],
    ] as const) {
      const { own, peer } = inputOf(facts);
      const made = runbookMarkdown(inputOf(facts));
      const url = (region: string) => `<${[own, peer].find((cell) => cell.region === region)?.signInUrl}>`;
      expect(made.indexOf(url(first)), first).to.be.greaterThan(0);
      expect(made.lastIndexOf(`| 1 | \`${first}\` | ${url(first)} |`), first).to.be.greaterThan(0);
      expect(made.lastIndexOf(`| 2 | \`${last}\` | ${url(last)} |`), last).to.be.greaterThan(0);
    }
  });

  it("names no address without a region, and no other partition's", () => {
    for (const [facts, suffix] of [
      [FACTS, "signin.aws.amazon.com"],
      [CHINA, "signin.amazonaws.cn"],
      [GOVCLOUD, "signin.amazonaws-us-gov.com"],
    ] as const) {
      const addresses = [...runbookMarkdown(inputOf(facts)).matchAll(/https:\/\/[^\s>)`]+/g)].map(
        ([found]) => found,
      );
      expect(addresses.length).to.be.greaterThan(2);
      for (const address of addresses) {
        expect(address).to.match(
          new RegExp(`^https://222222222222\\.${suffix.replaceAll(".", "\\.")}/console\\?region=`),
        );
      }
    }
  });

  it("says what is different in China and in GovCloud", () => {
    const china = runbookMarkdown(inputOf(CHINA));
    expect(china).to.include("MFA is by TOTP only");
    expect(china).to.include("`cn-northwest-1`: one may be lost while the other works");
    expect(china).to.include("arn:aws-cn:cloudtrail:cn-northwest-1:222222222222:trail/bulkhead-trail-dr");
    expect(runbookMarkdown(inputOf(GOVCLOUD))).to.include("signin.amazonaws-us-gov.com");
    expect(text).not.to.include("TOTP only");
  });

  it("speaks of security keys only where there are any (fact 12)", () => {
    const pages = (facts: StackFacts) => [
      runbookMarkdown(inputOf(facts)),
      instructionsPage({ ...INSTRUCTIONS, runbook: inputOf(facts) }),
    ];
    const spokenOf = /(?<!There are no )security key|FIDO/i;
    for (const page of pages(CHINA)) expect(page).not.to.match(spokenOf);
    for (const page of [...pages(FACTS), ...pages(GOVCLOUD)]) expect(page).to.match(spokenOf);
  });

  it("says what facts 9 to 11, 29 and 34 make impossible", () => {
    for (const part of [
      "Creating or changing users, roles, policies, passwords, devices",
      "Creating or deleting buckets",
      "interface endpoints",
      "A security key (FIDO) may not complete",
      "it was attached beforehand",
      "Rotating access keys: it pauses and loses nothing",
      "A role's own credentials carry no MFA any more",
    ])
      expect(text).to.include(part);
  });

  it("says when the closing report comes, as it is configured", () => {
    expect(text).to.include("nothing was seen of it for 30 minutes, the closing report");
    const quick = runbookMarkdown(inputOf({ ...FACTS, useIdleSeconds: 300 }));
    expect(quick).to.include("nothing was seen of it for 5 minutes, the closing report");
  });

  it("says who changes the password afterwards: somebody, or the function", () => {
    const itself = runbookMarkdown(inputOf({ ...FACTS, rotatesAfterUse: true }));
    const command = "npx bulkhead break-glass rotate --stack dr --user breakglass-admin-1";
    for (const made of [text, itself]) expect(made).to.include(command);
    expect(text).not.to.include("by itself within an hour");
    expect(itself).to.include("by itself within an hour after the closing report");
  });

  it("has both cells' trails with the queries to ask them", () => {
    for (const name of [
      "/own/log-group",
      "own-bucket",
      "/bulkhead/bulkhead-trail-dr",
      "bulkhead-trail-dr-222222222222-us-west-2",
    ])
      expect(text).to.include(name);
    expect(text).to.include(
      'userIdentity.userName = "breakglass-admin-1" or userIdentity.arn like "/breakglass-admin-1"',
    );
    expect(text).to.include(
      "aws cloudtrail validate-logs --region us-east-1 --trail-arn arn:aws:cloudtrail:us-east-1:222222222222:trail/own-trail",
    );
  });

  it("offers members' role only where there is one", () => {
    expect(text).not.to.include("Member accounts");
    const withRole = runbookMarkdown(inputOf({ ...FACTS, memberRoleName: "OrganizationAccountAccessRole" }));
    expect(withRole).to.include(
      "- Member accounts are reached by their role `OrganizationAccountAccessRole`",
    );
  });

  it("shows whatever the configuration holds as text", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (custodian) => {
        const users = [{ userName: "breakglass-admin-1", custodian }, FACTS.users[1]!];
        const input = { ...inputOf(), users };
        const page = markdownPage(runbookMarkdown(input), runbookTitle(input));
        expect(page).not.to.match(EXTERNAL);
        // The table keeps its two columns.
        const row = /<code class="short">breakglass-admin-1<\/code><\/td>(<td .*<\/td>)<\/tr>/.exec(
          page,
        )?.[1];
        expect(row?.split("<td ").length).to.equal(2);
      }),
      { seed: 20251020, numRuns: 100 },
    );
    for (const custodian of [
      "<script>alert(1)</script>",
      "[x](javascript:alert(1))",
      "a | b | c",
      "![x](https://x.example/)",
      "</td>",
    ]) {
      const input = { ...inputOf(), users: [{ userName: "u-1", custodian }, FACTS.users[1]!] };
      const page = markdownPage(runbookMarkdown(input), "t");
      expect(page, custodian).not.to.match(EXTERNAL);
      expect(page, custodian).not.to.include('javascript:alert(1)"');
    }
  });
});

describe("Markdown that is put together", () => {
  const rendered = (text: string) => new Marked({ gfm: true }).parse(text, { async: false });
  it("shows every text as it is", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[!-~]([ -~]{0,30}[!-~])?$/), (text) => {
        // Addresses become links to themselves, which still show as they are.
        const shown = rendered(markdown`x ${text}`.text)
          .replace(/<\/?(?:p|a)\b[^>]*>/g, "")
          .replaceAll("&lt;", "<")
          .replaceAll("&gt;", ">")
          .replaceAll("&quot;", '"')
          .replaceAll("&#39;", "'")
          .replaceAll("&amp;", "&")
          .trim();
        expect(shown.replace(/ +/g, " ")).to.equal(`x ${text}`.replace(/ +/g, " "));
      }),
      { seed: 20251020, numRuns: 500 },
    );
  });

  it("keeps names with backticks and bars in their places", () => {
    expect(rendered(code("a`b").text)).to.include("<code>a`b</code>");
    expect(rendered(table(["h"], [[code("a|b")], ["c|d"]]).text))
      .to.include("<code>a|b</code>")
      .and.to.include("c|d");
  });
});

describe("a page for screen and paper", () => {
  it("shows HTML of the Markdown as text and follows no other links than https", () => {
    const page = markdownPage(
      '# T\n\n<b onclick="x()">hi</b>\n\n<script>1</script>\n\n[a](http://x.example) [b](javascript:x) [c](https://y.example)\n\n![p](https://z.example/p.png)\n',
      '<T&"',
    );
    expect(page).not.to.match(/<script|<b |<img/);
    expect(page).to.include('<a href="https://y.example">c</a>');
    expect(page).not.to.match(/href="(?:http:|javascript:)/);
    expect(page).to.include("<title>&lt;T&amp;&quot;</title>");
  });

  it("gives headings of the same text ids of their own, and contents that lead to them", () => {
    const page = markdownPage("# T\n\n## A b\n\n## A b\n\n## C: d\n", "t");
    for (const id of ["a-b", "a-b-1", "c-d"]) {
      expect(page).to.include(`<h2 id="${id}">`);
      expect(page).to.include(`href="#${id}"`);
    }
  });
});

describe("a custodian's instructions", () => {
  const input = { ...INSTRUCTIONS, runbook: inputOf() };
  const page = instructionsPage(input);

  it("say who keeps what, where to sign in, and how to open the file", () => {
    for (const part of [
      "alice@example.com",
      "222222222222",
      "0123 4567 89AB CDEF 0123 4567 89AB CDEF 0123 4567",
      'gpg --decrypt <span class="whole">breakglass-admin-1.pgp.asc</span>',
      "When something is lost",
      "Never",
    ])
      expect(page).to.include(part);
    const first = page.indexOf("region=us-west-2");
    expect(first).to.be.greaterThan(0);
    expect(page.indexOf("region=us-east-1")).to.be.greaterThan(first);
  });

  it("print the ciphertext as it is, with the sum that sha256sum gives", () => {
    expect(page).to.include("wcFMA&lt;&amp;&gt;");
    expect(page).to.include(createHash("sha256").update(CIPHERTEXT).digest("hex"));
  });

  it("do without the ciphertext", () => {
    const without = instructionsPage({ ...input, ciphertext: undefined });
    expect(without).not.to.include("BEGIN PGP");
    expect(without).to.include("SHA256SUMS");
  });

  it("need nothing but themselves", () => expect(page).not.to.match(EXTERNAL));

  it("and the runbook fit a phone and a page of paper, and load nothing", async function () {
    this.timeout(30_000);
    const browser = await launchChromium(this);
    try {
      for (const html of [page, markdownPage(runbookMarkdown(inputOf()), "Runbook")]) {
        const context = await browser.newContext({ viewport: { width: 360, height: 740 } });
        const tab = await context.newPage();
        const asked: string[] = [];
        await tab.route(/^https?:/, (route) => {
          asked.push(route.request().url());
          return route.abort();
        });
        await tab.setContent(html);
        expect(await tab.evaluate("document.documentElement.scrollWidth - innerWidth")).to.be.at.most(0);
        expect(await tab.evaluate(CUT_OFF), "cut off on a phone").to.deep.equal([]);
        expect(await tab.evaluate(BROKEN_NAMES), "broken on a phone").to.deep.equal([]);
        await tab.emulateMedia({ media: "print" });
        await tab.setViewportSize({ width: 660, height: 900 });
        expect(await tab.evaluate("document.documentElement.scrollWidth - innerWidth")).to.be.at.most(0);
        expect(await tab.evaluate(BROKEN_NAMES), "broken on paper").to.deep.equal([]);
        expect(asked).to.deep.equal([]);
        await context.close();
      }
    } finally {
      await browser.close();
    }
  });
});
