import { expect } from "chai";
import type { Browser, Page } from "playwright-core";
import { type DrillRun, renderReport } from "../../local/report";
import { launchChromium } from "./support/chromium";
import { HOSTILE, hostileRun, sampleRun } from "./support/sampleRun";

/** A page with what it did on its own. */
interface Opened {
  page: Page;
  requests: string[];
  errors: string[];
}

function emptyRun(outcome: DrillRun["outcome"]): DrillRun {
  return {
    title: "Nothing yet",
    startedAt: "2026-03-01T09:00:00.000Z",
    finishedAt: "2026-03-01T09:00:00.000Z",
    engine: "none",
    aws: "none",
    outcome,
    cells: [],
    phases: [],
    calls: { duringOutage: [] },
    mails: [],
    resources: {},
    policy: [],
    timings: [],
  };
}

/** A run that failed in the outage, and was ended there. */
function failedRun(): DrillRun {
  const run = sampleRun();
  run.outcome = "failed";
  run.phases.pop();
  const [failed, ...rest] = run.phases.at(-1)?.steps.slice(3) ?? [];
  if (!failed || !run.outage) throw new Error("the sample has changed");
  failed.outcome = "failed";
  failed.detail = "no answer within 10 s";
  for (const step of rest) {
    step.outcome = "skipped";
    step.durationMs = 0;
  }
  delete run.outage.endedAt;
  run.mails.pop();
  return run;
}

describe("HTML report in a browser", () => {
  let browser: Browser | undefined;

  before(async function () {
    browser = await launchChromium(this);
  });
  after(() => browser?.close());

  async function open(run: DrillRun, width = 1280, colorScheme: "light" | "dark" = "light"): Promise<Opened> {
    if (!browser) throw new Error("no browser");
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
    const opened: Opened = { page, requests: [], errors: [] };
    page.on("request", (request) => opened.requests.push(request.url()));
    page.on("pageerror", (error) => opened.errors.push(error.message));
    page.on("dialog", (dialog) => {
      opened.errors.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on("console", (message) => {
      if (message.type() === "error") opened.errors.push(message.text());
    });
    await page.setContent(renderReport(run), { waitUntil: "load" });
    return opened;
  }
  const texts = (page: Page, selector: string) => page.locator(selector).allInnerTexts();

  for (const [outcome, run, verdict, sentence] of [
    [
      "passed",
      sampleRun(),
      "Passed",
      "All 17 steps held. In between us-east-1 and every global service were out of reach for 885 ms.",
    ],
    ["failed", failedRun(), "Failed", "1 of 11 steps did not hold. 3 steps not tried."],
    [
      "stopped",
      { ...sampleRun(), outcome: "stopped" as const },
      "Stopped",
      "The run was stopped before its end",
    ],
  ] as const) {
    it(`says that the run ${outcome === "stopped" ? "was stopped" : outcome}`, async () => {
      const { page } = await open(run);
      expect(await page.locator("#verdict").innerText()).to.equal(verdict);
      expect(await page.locator(".lead").innerText()).to.contain(sentence);
      expect(await page.title()).to.equal(`${run.title}: ${outcome}`);
      await page.close();
    });
  }

  it("shows every step in order with expectation, result and time", async () => {
    const run = failedRun();
    const { page } = await open(run);
    const steps = run.phases.flatMap((phase) => phase.steps);
    const rows = page.locator("tr.step");
    expect(await rows.count()).to.equal(steps.length);
    for (const [i, step] of steps.entries()) {
      const text = await rows.nth(i).innerText();
      for (const part of [
        `${i + 1}`,
        step.name,
        step.expectation,
        step.outcome,
        step.detail ?? "",
        step.region ?? "",
      ]) {
        expect(text).to.contain(part);
      }
      for (const { label, value } of step.evidence ?? []) expect(text).to.contain(label).and.contain(value);
    }
    expect((await texts(page, "tr.phase")).map((text) => text.split("\n")[0])).to.deep.equal([
      "1 Deploy",
      "2 Normal day",
      "3 Region lost",
    ]);
    await page.close();
  });

  it("keeps the lines of a message, folds a long one, and drops a terminal's colours", async () => {
    const run = failedRun();
    const failed = run.phases.flatMap((phase) => phase.steps).find((step) => step.outcome === "failed");
    if (!failed) throw new Error("the sample has changed");
    const trace = Array.from({ length: 8 }, (_, i) => `    at line ${i}`).join("\n");
    failed.detail = `\u001b[31mno such role\u001b[39m\n${trace}`;
    failed.evidence = [{ label: "answer", value: "first\nsecond" }];
    const { page } = await open(run);
    const row = page.locator("tr.step.failed");
    expect(await row.locator(".detail > span").innerText()).to.equal("no such role");
    expect(await row.locator("details pre").isVisible()).to.equal(false);
    await row.locator("summary").click();
    expect(await row.locator("details pre").innerText()).to.equal(trace);
    expect(await row.locator("dd").innerText()).to.equal("first\nsecond");
    await page.close();
  });

  it("shows the mails, the counted calls, the findings and what it ran on", async () => {
    const run = sampleRun();
    const { page } = await open(run);
    const text = await page.locator("main").innerText();
    for (const mail of run.mails)
      expect(text).to.contain(mail.subject).and.contain("ConsoleLogin, succeeded with MFA");
    expect(await texts(page, ".calls tbody tr")).to.deep.equal([
      "us-east-1\tiam\t3\t–",
      "us-east-1\tsts\t1\t–",
      "us-west-2\tdynamodb\t–\t11",
      "us-west-2\tsts\t–\t7",
      "us-west-2\tsns\t–\t4",
      "us-west-2\tec2\t–\t2",
    ]);
    expect(text).to.contain("no-global-sts-endpoint").and.contain(run.engine).and.contain(run.aws);
    expect(text).to.contain("64 resources").and.contain("52 resources");
    await page.close();
  });

  for (const [width, shown, hidden] of [
    [1280, "svg.wide", "svg.tall"],
    [390, "svg.tall", "svg.wide"],
  ] as const) {
    it(`draws each step once, in the lane of its region, at ${width} px`, async () => {
      const run = sampleRun();
      const { page } = await open(run, width);
      expect(await page.locator(hidden).isVisible()).to.equal(false);
      const steps = run.phases.flatMap((phase) => phase.steps);
      const along = width > 700 ? "x" : "y";
      const across = width > 700 ? "y" : "x";
      const lanes = new Map<string | undefined, number>();
      let last = Number.NEGATIVE_INFINITY;
      for (const [i, step] of steps.entries()) {
        const bar = page.locator(`${shown} a[href="#step-${i + 1}"]`);
        expect(await bar.count()).to.equal(1);
        expect(await bar.getAttribute("aria-label"))
          .to.contain(step.name)
          .and.contain(step.outcome);
        const box = await bar.locator("rect").boundingBox();
        if (!box) throw new Error(`step ${i + 1} is not drawn`);
        expect(box[along], `step ${i + 1} after the one before`).to.be.greaterThan(last);
        last = box[along];
        const lane = Math.round(box[across]);
        expect(lanes.get(step.region) ?? lane).to.equal(lane);
        lanes.set(step.region, lane);
      }
      expect(new Set(lanes.values()).size).to.equal(3);
      // The band lies in the lane of the lost region and is as long as the phase in which it was lost.
      const bandBox = await page.locator(`${shown} .outage rect.hatch`).boundingBox();
      const first = await page.locator(`${shown} a[href="#step-9"] rect`).boundingBox();
      const end = await page.locator(`${shown} a[href="#step-14"] rect`).boundingBox();
      const size = along === "x" ? "width" : "height";
      if (!bandBox || !first || !end) throw new Error("something is not drawn");
      expect(bandBox[along]).to.be.at.most(first[along]);
      expect(bandBox[along] + bandBox[size]).to.be.at.least(end[along] + end[size] - 1);
      expect(Math.abs(bandBox[across] - first[across])).to.be.below(30);
      expect(await page.locator(`${shown} .mail`).count()).to.equal(2);
      await page.close();
    });
  }

  for (const [name, run] of [
    ["the sample", sampleRun()],
    ["a failed run", failedRun()],
    ["hostile texts", hostileRun()],
    ["a run that ended at once", emptyRun("stopped")],
    ["long words", { ...sampleRun(), title: "w".repeat(300), engine: "e".repeat(300) }],
  ] as const) {
    for (const width of [320, 390, 820, 1280]) {
      it(`needs no sideways scrolling, loads nothing and has no errors: ${name} at ${width} px`, async () => {
        const { page, requests, errors } = await open(run, width, width === 390 ? "dark" : "light");
        expect(await page.evaluate("document.documentElement.scrollWidth")).to.be.at.most(width);
        expect(requests).to.deep.equal([]);
        expect(errors).to.deep.equal([]);
        await page.close();
      });
    }
  }

  it("shows hostile texts as texts, and they do nothing", async () => {
    const run = hostileRun();
    const { page, errors } = await open(run);
    const text = await page.locator("body").innerText();
    for (const hostile of HOSTILE.filter((candidate) => /^[\x20-\x7e]+$/.test(candidate))) {
      expect(text).to.contain(hostile);
    }
    for (const invisible of ["\u0000", "\u0007", "\u202e", "\ud800"]) expect(text).not.to.contain(invisible);
    expect(await page.locator("script, iframe, img, object, form").count()).to.equal(0);
    expect(await page.locator("style").count()).to.equal(1);
    expect(await page.evaluate(`document.querySelectorAll("*").length`)).to.equal(
      await (await open(sampleRun())).page.evaluate(`document.querySelectorAll("*").length`),
    );
    const handlers = `[...document.querySelectorAll("*")].flatMap((e) => e.getAttributeNames()).filter((n) => n.startsWith("on"))`;
    expect(await page.evaluate(handlers)).to.deep.equal([]);
    expect(await page.title()).to.equal(`${run.title}: passed`);
    expect(errors).to.deep.equal([]);
    await page.close();
  });

  for (const scheme of ["light", "dark"] as const) {
    it(`has text of enough contrast, ${scheme}`, async () => {
      const { page } = await open(failedRun(), 1280, scheme);
      const pairs = (await page.evaluate(`(() => {
        const style = getComputedStyle(document.documentElement);
        const value = (name) => style.getPropertyValue(name).trim();
        return [["--ink","--page"],["--ink","--card"],["--ink","--wash"],["--soft","--card"],["--soft","--wash"],["--soft","--page"],
          ["--good","--good-wash"],["--bad","--bad-wash"],["--idle","--idle-wash"],["--soft","--idle-wash"],["--lost","--lost-wash"],["--lost","--card"],["--bad","--card"],
          ["--on","--good"],["--on","--bad"],["--on","--mail"],["--link","--card"],["--ink","--line"]]
          .map(([a, b]) => [a + " on " + b, value(a), value(b)]);
      })()`)) as [string, string, string][];
      for (const [what, ink, ground] of pairs) expect(contrast(ink, ground), what).to.be.at.least(4.5);
      await page.close();
    });
  }

  it("is a page that readers understand: headings, table headers, names", async () => {
    const { page } = await open(sampleRun());
    expect(await page.locator("html").getAttribute("lang")).to.equal("en");
    expect(await page.locator("h1").count()).to.equal(1);
    expect(await page.locator("main").count()).to.equal(1);
    expect(await page.locator("thead th:not([scope=col])").count()).to.equal(0);
    expect(await page.locator("tbody th:not([scope=row]):not([scope=rowgroup])").count()).to.equal(0);
    expect(await page.locator("section:not([aria-labelledby])").count()).to.equal(0);
    const dangling = `[...document.querySelectorAll("[aria-labelledby], a[href^='#']")]
      .map((e) => e.getAttribute("aria-labelledby") ?? e.getAttribute("href").slice(1)).filter((id) => !document.getElementById(id))`;
    expect(await page.evaluate(dangling)).to.deep.equal([]);
    const twice = `(() => { const ids = [...document.querySelectorAll("[id]")].map((e) => e.id); return ids.filter((id, i) => ids.indexOf(id) !== i); })()`;
    expect(await page.evaluate(twice)).to.deep.equal([]);
    expect(
      await page.getByRole("table", { name: "Steps" }).getByRole("columnheader").allInnerTexts(),
    ).to.deep.equal(["#", "Step", "Expected", "Result", "Time"]);
    await page.close();
  });

  it("keeps its tables tables on a phone", async () => {
    const { page } = await open(sampleRun(), 390);
    expect(await page.getByRole("table", { name: "Steps" }).getByRole("row").count()).to.equal(1 + 4 + 17);
    expect(await page.getByRole("columnheader", { name: "Expected" }).count()).to.equal(1);
    await page.close();
  });

  it("is light on paper, also where the screen is dark", async () => {
    const { page } = await open(sampleRun(), 1280, "dark");
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    expect(await page.evaluate("getComputedStyle(document.body).backgroundColor")).to.equal(
      "rgb(255, 255, 255)",
    );
    expect(await page.evaluate("getComputedStyle(document.body).color")).to.equal("rgb(22, 32, 46)");
    await page.close();
  });
});

/** Contrast of two colours written #rrggbb, as WCAG defines it. */
function contrast(a: string, b: string): number {
  const [bright = 0, dim = 0] = [a, b].map(luminance).sort((x, y) => y - x);
  return (bright + 0.05) / (dim + 0.05);
}

function luminance(colour: string): number {
  const long = /^#(.)(.)(.)$/
    .exec(colour)
    ?.slice(1)
    .map((digit) => digit + digit)
    .join("");
  const [red = 0, green = 0, blue = 0] =
    (long ?? colour.slice(1)).match(/../g)?.map((pair) => {
      const part = Number.parseInt(pair, 16) / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    }) ?? [];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
