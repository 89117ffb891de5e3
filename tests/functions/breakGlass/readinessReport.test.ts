import { expect } from "chai";
import type { Browser } from "playwright-core";
import { assess } from "../../../functions/breakGlass/readiness/assess";
import type { Observations } from "../../../functions/breakGlass/readiness/observations";
import {
  type ReadinessReport,
  readinessReport,
} from "../../../functions/breakGlass/readiness/readinessReport";
import { renderReadinessReport } from "../../../functions/breakGlass/readiness/report";
import { launchChromium } from "../../report/support/chromium";
import { CASES } from "./readiness/cases";
import { ALICE, NOW, readyObservations, readyPolicy } from "./readiness/ready";

function report(change: (observations: Observations) => void = () => {}): ReadinessReport {
  const policy = readyPolicy();
  const observations = readyObservations(policy);
  change(observations);
  return readinessReport(assess(observations, policy, NOW), {
    checkedAt: NOW,
    checkedBy: "bulkhead-breakglass-steward in prod (us-east-1)",
    accountId: policy.accountId,
  });
}

/** With failing and unknown rows. */
const mixed = () =>
  report((observations) => {
    for (const name of [
      "an access key",
      "a policy in the user and a group",
      "a deny that exempts nobody",
      "CloudTrail does not answer",
    ]) {
      CASES.find((each) => each.name === name)!.change(observations, readyPolicy());
    }
  });

const HOSTILE = `<script>alert(1)</script>"'&<img src=x onerror=alert(2)>\u202e`;

describe("readiness report, as text", () => {
  it("is the same for the same report, and names nothing to load", () => {
    const page = renderReadinessReport(mixed());
    expect(page).to.equal(renderReadinessReport(mixed()));
    expect(page).not.to.match(/<(script|link rel="stylesheet"|iframe|form)|url\(http|src="http/);
  });

  it("says so when everything holds, and has nothing to mend then", () => {
    const page = renderReadinessReport(report());
    expect(page).to.contain("<h1>Emergency access is ready</h1>").and.not.to.contain("To mend");
    expect(page).not.to.contain("Could not be checked</h2>");
  });

  it("is not taken for good when nothing could be read", () => {
    const page = renderReadinessReport(
      report(({ account }) => {
        account.organization = { unreadable: "AWS Organizations does not answer" };
      }),
    );
    expect(page).to.contain("<h1>Not everything could be checked</h1>");
    expect(page).to.contain("Nothing is known to be wrong.");
  });
});

describe("readiness report in a browser", () => {
  let browser: Browser | undefined;

  before(async function () {
    browser = await launchChromium(this);
  });
  after(() => browser?.close());

  async function open(from: ReadinessReport, width = 1280) {
    const page = await browser!.newPage({ viewport: { width, height: 900 } });
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(error.message));
    page.on("dialog", (dialog) => {
      errors.push(dialog.message());
      void dialog.dismiss();
    });
    page.on("request", (request) => errors.push(request.url()));
    await page.setContent(renderReadinessReport(from), { waitUntil: "load" });
    return { page, errors };
  }

  it("shows every row under its requirement, and what is to be mended first, with its commands", async () => {
    const from = mixed();
    const { page, errors } = await open(from);
    expect(await page.locator("#verdict").innerText()).to.equal("Fail");
    expect(await page.locator("tr.row").count()).to.equal(from.rows.length);
    const failing = from.rows.filter(({ verdict }) => verdict === "fail");
    const items = page.locator("section[aria-labelledby=h-fail] li");
    expect(await items.count()).to.equal(failing.length);
    for (const [index, row] of failing.entries()) {
      const text = await items.nth(index).innerText();
      for (const part of [row.subject, row.id, row.found]) expect(text).to.contain(part);
      expect(await items.nth(index).locator("pre").innerText()).to.equal(row.mend);
    }
    expect(await page.locator("section[aria-labelledby=h-unknown] li").count()).to.equal(
      from.rows.filter(({ verdict }) => verdict === "unknown").length,
    );
    expect(errors).to.deep.equal([]);
    await page.close();
  });

  for (const width of [390, 1280]) {
    it(`fits ${width} pixels, and stays a table for readers`, async () => {
      const { page } = await open(mixed(), width);
      expect(await page.evaluate("document.documentElement.scrollWidth")).to.be.at.most(width);
      const table = page.getByRole("table", { name: "Emergency users" });
      expect(await table.getByRole("columnheader").allInnerTexts()).to.deep.equal([
        "Of what",
        "Verdict",
        "Found",
      ]);
      expect(await page.locator("h1").count()).to.equal(1);
      expect(await page.locator("section:not([aria-labelledby])").count()).to.equal(0);
      const twice = `(() => { const ids = [...document.querySelectorAll("[id]")].map((e) => e.id); return ids.filter((id, i) => ids.indexOf(id) !== i); })()`;
      expect(await page.evaluate(twice)).to.deep.equal([]);
      await page.close();
    });
  }

  it("shows what AWS says as text, whatever it is", async () => {
    const { page, errors } = await open(
      report(({ users, cells }) => {
        users[ALICE]!.groups = { value: [HOSTILE] };
        cells.dr!.subscriptions = { value: [{ protocol: "email", endpoint: HOSTILE, confirmed: false }] };
      }),
    );
    expect(errors).to.deep.equal([]);
    expect(await page.locator("script, img").count()).to.equal(0);
    expect(await page.locator("section[aria-labelledby=h-fail]").innerText()).to.contain(
      "<script>alert(1)</script>",
    );
    await page.close();
  });

  it("is light on paper, and keeps a requirement with its rows", async () => {
    const { page } = await open(mixed());
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    expect(await page.evaluate("getComputedStyle(document.body).backgroundColor")).to.equal(
      "rgb(255, 255, 255)",
    );
    expect(
      await page.evaluate(`getComputedStyle(document.querySelector("tr.requirement")).breakAfter`),
    ).to.equal("avoid");
    await page.close();
  });
});
