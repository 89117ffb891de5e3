/** The pages as people meet them: in a browser, by keyboard, on a phone, with whatever somebody put into a request. */
import { randomBytes } from "node:crypto";
import { expect } from "chai";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { createApp } from "../../../../functions/approval/http/app";
import type { HttpResponse } from "../../../../functions/approval/http/response";
import { Seal } from "../../../../functions/approval/http/seal";
import { Sessions } from "../../../../functions/approval/http/session";
import { OidcSignIn } from "../../../../functions/approval/http/signIn";
import type { LinkSecret } from "../../../../functions/approval/links/secret";
import { launchChromium } from "../../../report/support/chromium";
import {
  type PagesWorld,
  pagesWorld,
  REQUEST_ID,
  sampleDetails,
  servePages,
} from "../../../support/approvalPages";
import { type OidcProvider, startOidcProvider } from "../../../support/oidcProvider";

const HOSTILE = `"'><script>window.pwned=1</script><img src=x onerror="window.pwned=1"><b style="color:red">`;

describe("approval's pages in a browser", () => {
  let browser: Browser | undefined;
  let server: Awaited<ReturnType<typeof servePages>>;
  let app: (event: unknown) => Promise<HttpResponse>;
  let world: PagesWorld;
  const errors: string[] = [];

  before(async function () {
    browser = await launchChromium(this);
    server = await servePages(() => app);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });
  beforeEach(async () => {
    errors.length = 0;
    await use(await pagesWorld());
    await world.happens({ kind: "confirm", actor: await world.actor("alice") });
  });

  async function use(next: PagesWorld) {
    world = next;
    app = next.app;
  }
  async function open(address: string, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser!.newContext({
      viewport: { width: 1_000, height: 900 },
      locale: "en-US",
      ...options,
    });
    const page = await context.newPage();
    page.on("pageerror", (error) => errors.push(error.message));
    page.on("dialog", (dialog) => {
      errors.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on("console", (message) => {
      if (/Content Security Policy|refused to/i.test(message.text())) errors.push(message.text());
    });
    await page.goto(`${server.url}/${address}`);
    return page;
  }
  const heading = (page: Page) => page.locator("h1").innerText();
  const close = (page: Page) => page.context().close();
  const bobsLink = () => world.link("bob", "decide");

  async function fill(page: Page, { code }: LinkSecret, choice: string) {
    await page.getByRole("radio", { name: choice, exact: true }).check();
    await page.getByLabel("Code from your mail").fill(code);
  }

  it("can be used by the keyboard alone", async () => {
    const link = await bobsLink();
    const page = await open(`decide?link=${link.id}`);
    const focused = () =>
      page.evaluate(() => {
        // What the browser has, not this program: the types of the page are not known here.
        const element = (globalThis as unknown as { document: { activeElement: Record<string, unknown> } })
          .document.activeElement;
        return String(element.name || element.className || element.tagName);
      });
    const reached: string[] = [];
    for (let i = 0; i < 12 && reached.at(-1) !== "choice"; i++) {
      await page.keyboard.press("Tab");
      reached.push(await focused());
    }
    expect(reached).to.deep.equal(["skip", "switch", "SUMMARY", "choice"]);
    await page.keyboard.press("Space");
    expect(await page.getByRole("radio", { name: "Approve" }).isChecked()).to.equal(true);
    await page.keyboard.press("ArrowDown");
    expect(await page.getByRole("radio", { name: "Deny" }).isChecked()).to.equal(true);
    await page.keyboard.press("Tab");
    expect(await focused()).to.equal("reason");
    await page.keyboard.type("not before the backup");
    await page.keyboard.press("Tab");
    expect(await focused()).to.equal("code");
    await page.keyboard.type(`${link.code.slice(0, 3)} ${link.code.slice(3)}`);
    await Promise.all([page.waitForURL(/lang=en/), page.keyboard.press("Enter")]);
    expect(await heading(page)).to.equal("Recorded");
    expect((await world.request()).denial).to.include({ reason: "not before the backup" });
    await close(page);
  });

  it("name every control, have one main heading, and say what is wrong at the field", async () => {
    const link = await bobsLink();
    const page = await open(`decide?link=${link.id}`);
    expect(await page.locator("h1").count()).to.equal(1);
    expect(await page.locator("html").getAttribute("lang")).to.equal("en");
    await page.getByRole("button", { name: "Submit" }).click();
    expect(await page.title()).to.match(/^There is a problem/);
    const alert = page.getByRole("alert");
    expect(await alert.getByRole("link").allInnerTexts()).to.deep.equal([
      "Choose what you decide.",
      "Type the code from your mail.",
    ]);
    await alert.getByRole("link", { name: "Type the code from your mail." }).click();
    const code = page.getByRole("textbox", { name: "Code from your mail" });
    expect(await code.getAttribute("aria-invalid")).to.equal("true");
    const described = (await code.getAttribute("aria-describedby"))!.split(" ");
    expect(await page.locator(`#${described[1]}`).innerText()).to.equal("Type the code from your mail.");
    const unnamed = await page
      .locator("input:not([type=hidden]), textarea, button, select")
      .evaluateAll((controls) =>
        (controls as unknown as { labels: { length: number } | null; innerText: string; name: string }[])
          .filter(({ labels, innerText }) => !labels?.length && !innerText)
          .map(({ name }) => name),
      );
    expect(unnamed).to.deep.equal([]);
    await close(page);
  });

  for (const [width, colorScheme] of [
    [320, "light"],
    [390, "dark"],
  ] as const) {
    it(`fit a phone of ${width} pixels (${colorScheme}), with targets for a thumb and text that can be read`, async () => {
      const link = await bobsLink();
      for (const language of ["en", "zh"]) {
        const page = await open(`decide?link=${link.id}&lang=${language}`, {
          viewport: { width, height: 700 },
          colorScheme,
          hasTouch: true,
        });
        const overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
        expect(overflow).to.equal(0);
        for (const target of await page
          .locator("label.choice, form.decision button, input.code, textarea")
          .all()) {
          expect((await target.boundingBox())!.height).to.be.at.least(44);
        }
        const contrasts = (await page.evaluate(CONTRASTS)) as { text: string; ratio: number }[];
        expect(contrasts.length).to.be.above(30);
        expect(contrasts.filter(({ ratio }) => ratio < 4.5)).to.deep.equal([]);
        await close(page);
      }
    });
  }

  it("run no script, whatever stands in a request", async () => {
    const details = sampleDetails();
    await use(
      await pagesWorld(
        {},
        sampleDetails({
          operation: {
            service: HOSTILE,
            api: HOSTILE,
            input: { [HOSTILE]: [HOSTILE] },
            actions: [HOSTILE],
            resources: [HOSTILE],
          },
          account: { id: details.account.id, name: HOSTILE },
          requester: { person: "nobody", name: HOSTILE, arn: HOSTILE },
          reason: HOSTILE,
          preview: [
            { label: "Resource", value: HOSTILE },
            { label: HOSTILE, value: HOSTILE },
          ],
          risk: { score: 50, name: HOSTILE, reasons: [{ code: HOSTILE, points: 1, text: HOSTILE }] },
        }),
      ),
    );
    await world.happens({ kind: "confirm", actor: await world.actor("alice") });
    const link = await bobsLink();
    const page = await open(`decide?link=${link.id}`);
    await page.getByRole("radio", { name: "Deny" }).check();
    await page.getByLabel("Reason, if you deny").fill(HOSTILE);
    await page.getByLabel("Code from your mail").fill("000000000");
    await page.getByRole("button", { name: "Submit" }).click();
    expect(await page.getByLabel("Reason, if you deny").inputValue()).to.equal(HOSTILE);
    await page.getByLabel("Code from your mail").fill(link.code);
    await page.getByRole("button", { name: "Submit" }).click();
    expect(await heading(page)).to.equal("Recorded");
    expect(await page.locator("main").innerText()).to.contain("<script>window.pwned=1</script>");
    expect(await page.evaluate("window.pwned")).to.equal(undefined);
    expect(await page.locator("main img, main script, main b[style]").count()).to.equal(0);
    expect(errors).to.deep.equal([]);
    await close(page);
  });

  it("let the browser run nothing but what the policy names", async () => {
    const link = await bobsLink();
    const page = await open(`decide?link=${link.id}`);
    // The style sheet is taken: its hash is the policy's.
    const radius = "getComputedStyle(document.querySelector('main section')).borderRadius";
    expect(await page.evaluate(radius)).to.equal("14px");
    expect(errors).to.deep.equal([]);
    await page.evaluate(`{
      const script = document.createElement("script");
      script.textContent = "window.pwned = 1";
      document.body.append(script);
      const style = document.createElement("style");
      style.textContent = "h1 { display: none }";
      document.head.append(style);
      const image = new Image();
      image.src = "https://example.com/x.png";
      document.body.append(image);
    }`);
    expect(await page.evaluate("window.pwned")).to.equal(undefined);
    expect(await page.locator("h1").isVisible()).to.equal(true);
    expect(errors.length).to.be.at.least(3);
    const framed = await open("nothing");
    await framed.goto("about:blank");
    await framed.setContent(`<iframe src="${server.url}/decide?link=${link.id}"></iframe>`);
    // The browser's own page for what may not be shown.
    expect(framed.frames()[1]?.url()).to.match(/^chrome-error:/);
    await close(framed);
    await close(page);
  });

  it("tell no other site where one came from", async () => {
    const link = await bobsLink();
    const page = await open(`decide?link=${link.id}`);
    const [request] = await Promise.all([
      page.waitForRequest(/lang=zh/),
      page.getByRole("link", { name: "中文" }).click(),
    ]);
    expect(await request.headerValue("referer")).to.equal(null);
    expect(await page.locator("html").getAttribute("lang")).to.equal("zh-Hans");
    expect(await page.locator("h1").innerText()).to.equal("批准或拒绝");
    await close(page);
  });

  it("change nothing by being opened, opened again, or sent as they stand", async () => {
    const link = await bobsLink();
    const before = JSON.stringify([await world.request(), [...world.table.links.values()]]);
    const page = await open(`decide?link=${link.id}`);
    await page.reload();
    const sent = page.waitForEvent("framenavigated");
    await page.evaluate("document.querySelector('form.decision').submit()");
    await sent;
    await page.getByRole("alert").waitFor();
    expect(await page.title()).to.match(/^There is a problem/);
    expect(JSON.stringify([await world.request(), [...world.table.links.values()]])).to.equal(before);
    await close(page);
  });

  it("take a double click once, and show after going back what was decided", async () => {
    const link = await bobsLink();
    const page = await open(`decide?link=${link.id}`);
    await fill(page, link, "Approve");
    await page.getByRole("button", { name: "Submit" }).dblclick();
    await page.waitForURL(/lang=en/);
    expect(await heading(page)).to.equal("Recorded");
    expect((await world.request()).version).to.equal(3);
    await page.goBack();
    expect(await heading(page)).to.equal("Recorded");
    await page.goForward();
    await page.reload();
    expect(await heading(page)).to.equal("Recorded");
    expect((await world.request()).version).to.equal(3);
    await close(page);
  });

  it("show two tabs one outcome", async () => {
    const link = await bobsLink();
    const [one, two] = [await open(`decide?link=${link.id}`), await open(`decide?link=${link.id}`)];
    await fill(one, link, "Approve");
    await two.getByRole("radio", { name: "Deny" }).check();
    await two.getByLabel("Reason, if you deny").fill("no");
    await two.getByLabel("Code from your mail").fill(link.code);
    await one.getByRole("button", { name: "Submit" }).click();
    await one.waitForURL(/lang=en/);
    await two.getByRole("button", { name: "Submit" }).click();
    expect(await two.locator("main, h1").first().innerText()).to.contain("Recorded");
    expect((await world.request()).denial).to.equal(undefined);
    await close(one);
    await close(two);
  });

  describe("with an identity provider", () => {
    let provider: OidcProvider;
    before(async () => {
      provider = await startOidcProvider();
    });
    after(() => provider?.stop());

    it("let somebody sign in, decide without a code, and sign out", async () => {
      provider.behaviour.claims = { email: "bob@example.com", email_verified: true };
      const values: Record<string, string> = {
        "/secret": provider.clientSecret,
        "/key": randomBytes(32).toString("base64"),
      };
      const parameters = { read: async (name: string) => values[name]!, forget() {} };
      const seal = new Seal("/key", parameters, world.parts.now);
      app = createApp({
        ...world.parts,
        baseUrl: server.url,
        acting: "signIn",
        signIn: {
          seal,
          sessions: new Sessions(seal, 3_600, world.parts.now),
          provider: new OidcSignIn(
            { issuer: provider.issuer, clientId: provider.clientId, clientSecretParameter: "/secret" },
            `${server.url}/callback`,
            parameters,
            true,
          ),
        },
      });
      const link = await bobsLink();
      const page = await open(`decide?link=${link.id}`);
      expect(await heading(page)).to.equal("Sign in");
      await page.getByRole("link", { name: "Sign in" }).click();
      await page.waitForURL(/decide\?link=/);
      expect(await heading(page)).to.equal("Approve or deny");
      expect(await page.getByLabel("Code from your mail").count()).to.equal(0);
      // Scripts see no cookie, not even if there were one that runs.
      expect(await page.evaluate("document.cookie")).to.equal("");
      await page.getByRole("radio", { name: "Approve" }).check();
      await page.getByRole("button", { name: "Submit" }).click();
      expect(await heading(page)).to.equal("Recorded");
      await page.goto(`${server.url}/requests`);
      expect(await page.getByRole("link", { name: /Terminate instances/ }).count()).to.equal(1);
      await page.getByRole("link", { name: "Open a request" }).click();
      await page.getByLabel("Operation", { exact: true }).selectOption("ec2:TerminateInstances");
      await page.getByRole("button", { name: "Next" }).click();
      await page.getByLabel("InstanceIds").fill("i-0fc5d99558e8357e8");
      await page.getByLabel(/^Account/).fill("111122223333");
      await page.getByRole("button", { name: "Open the request" }).click();
      expect(world.engine.opened).to.have.length(1);
      await page.goto(`${server.url}/request?id=${REQUEST_ID}`);
      await page.getByRole("button", { name: "Sign out" }).click();
      expect(await heading(page)).to.equal("Signed out");
      expect((await page.context().cookies()).filter(({ value }) => value !== "")).to.deep.equal([]);
      await close(page);
    });
  });
});

/** Contrast of every text with what is behind it, by the formula of WCAG; texts over a gradient are left out. */
const CONTRASTS = `(() => {
  const parse = (color) => (color.match(/[\\d.]+/g) ?? []).map(Number);
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const found = [];
  for (const element of document.querySelectorAll("main *, footer")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== "");
    if (!own || !element.checkVisibility()) continue;
    let behind = element;
    while (behind && (parse(getComputedStyle(behind).backgroundColor)[3] ?? 1) === 0) behind = behind.parentElement;
    const [a, b] = [getComputedStyle(element).color, behind ? getComputedStyle(behind).backgroundColor : "rgb(255,255,255)"]
      .map((color) => luminance(parse(color)));
    found.push({ text: element.textContent.trim().slice(0, 40), ratio: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) });
  }
  return found;
})()`;
