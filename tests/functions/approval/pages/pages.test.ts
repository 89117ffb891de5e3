import { expect } from "chai";
import * as fc from "fast-check";
import { LANGUAGES } from "../../../../functions/approval/directory/document";
import { OPERATIONS } from "../../../../functions/approval/operations/catalogue";
import { CONTENT_SECURITY_POLICY, page } from "../../../../functions/approval/pages/layout";
import {
  labelIn,
  operationTitle,
  regionName,
  untranslatedTitles,
} from "../../../../functions/approval/pages/names";
import { decisionPage } from "../../../../functions/approval/pages/pages";
import { fieldName, requestFormPage, typedInput } from "../../../../functions/approval/pages/requestForm";
import { moment, timeLeft } from "../../../../functions/approval/pages/times";
import { requestView } from "../../../../functions/approval/pages/view";
import { sayIn } from "../../../../functions/approval/pages/words";
import { ENGLISH } from "../../../../functions/approval/pages/words.en";
import { CHINESE } from "../../../../functions/approval/pages/words.zh";
import { pagesWorld, REQUEST_ID, START } from "../../../support/approvalPages";
import { FAILURES, STATES_AND_REFUSALS } from "./codes";

const CONTEXT = { language: "en" as const, self: "decide?link=x", cell: "prod", region: "us-east-1" };

describe("approval's pages", () => {
  describe("in two languages", () => {
    it("have the same texts, with the same values in them, none empty", () => {
      expect(Object.keys(CHINESE).sort()).to.deep.equal(Object.keys(ENGLISH).sort());
      const placeholders = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
      for (const [key, english] of Object.entries(ENGLISH)) {
        const chinese = CHINESE[key as keyof typeof ENGLISH];
        expect(chinese.trim(), key).not.to.equal("");
        // Some values are of use in one language only; none may be asked for that the other does not have.
        for (const name of placeholders(chinese)) expect(placeholders(english), key).to.include(name);
      }
    });

    it("have a text for every code", () => {
      for (const key of STATES_AND_REFUSALS) expect(Object.keys(ENGLISH)).to.include(key);
      for (const key of FAILURES) expect(Object.keys(ENGLISH)).to.include(`failure.${key}`);
    });

    it("name every operation of the catalogue", () => {
      expect(untranslatedTitles()).to.deep.equal([]);
      for (const { service, api, title } of OPERATIONS) {
        expect(operationTitle("en", service, api)).to.equal(title);
        expect(operationTitle("zh", service, api)).to.match(/[\u4e00-\u9fff]/);
      }
      expect(operationTitle("en", "x", "Unknown")).to.equal("Unknown");
      expect(labelIn("zh", "Tags")).to.equal("标签");
      expect(labelIn("zh", "constructor")).to.equal("constructor");
    });
  });

  it("say times in UTC and in the time zone, on which day that is", () => {
    const at = Date.UTC(2026, 10, 22, 20, 5);
    expect(moment(at, "UTC")).to.equal("2026-11-22 20:05 UTC");
    expect(moment(at, "Europe/Berlin")).to.equal("2026-11-22 20:05 UTC, 21:05 Europe/Berlin");
    expect(moment(at, "Asia/Shanghai")).to.equal("2026-11-22 20:05 UTC, 2026-11-23 04:05 Asia/Shanghai");
    const say = sayIn("en");
    expect(
      [-5, 59_000, 119 * 60_000, 120 * 60_000, 47.9 * 3_600_000, 72 * 3_600_000].map((left) =>
        timeLeft(left, say),
      ),
    ).to.deep.equal(["0 min", "0 min", "119 min", "2 h", "47 h", "3 days"]);
    expect(regionName("eu-central-1")).to.equal("eu-central-1 (Frankfurt)");
    expect(regionName("xx-new-9")).to.equal("xx-new-9");
  });

  it("hold no script, no style but their own, and nothing of another host", () => {
    const { text } = page(CONTEXT, { title: "t", body: "b" });
    expect(text).not.to.match(/<script|style="|\son\w+=|url\(|src=|@import/i);
    expect(CONTENT_SECURITY_POLICY).not.to.contain("unsafe");
  });

  it("escape whatever stands in a request (property)", async () => {
    const world = await pagesWorld();
    const request = await world.request();
    const details = (await world.table.readDetails(REQUEST_ID))!;
    const directory = await world.parts.people.lately();
    const render = (text: string, language: "en" | "zh") => {
      const view = requestView(
        {
          ...request,
          levels: [{ group: text || "g", quorum: 1, timeoutSeconds: 1 }],
          denial: { by: [text || "x"], at: START, channel: "page", reason: text || "x" },
        },
        {
          ...details,
          operation: {
            service: text,
            api: text,
            input: { [text]: [text] },
            actions: [text],
            resources: [text],
          },
          account: { id: "111122223333", name: text },
          requester: { person: "nobody", name: text, arn: text },
          reason: text,
          preview: [{ label: text, value: text }],
          risk: { score: 50, name: text, reasons: [{ code: text, points: 1, text }] },
        },
        { say: sayIn(language), language, directory, timeZone: "UTC", now: START },
      );
      const form = {
        action: "decide",
        hidden: { link: text },
        choices: [{ value: text, label: text }],
        reason: { label: text, hint: text, text },
        asksCode: true,
        problems: [{ field: "reason" as const, text }],
      };
      return decisionPage({ ...CONTEXT, language, signedIn: { name: text, csrf: text } }, view, "decide", {
        form,
        signInAt: text,
      }).text;
    };
    const tags = (html: string) =>
      [...html.replace(/<style>[\s\S]*?<\/style>/, "").matchAll(/<\/?[a-z!][a-z0-9]*/gi)].map(([tag]) => tag);
    const text = fc.oneof(
      fc.string({ unit: "binary", minLength: 1, maxLength: 30 }),
      fc.constantFrom(
        "<script>alert(1)</script>",
        `" onmouseover="alert(1)`,
        "</textarea><script>",
        "</style>",
        "<!--",
        "]]>",
        "&lt;",
        "\u202egnp.exe",
        "constructor",
        "__proto__",
      ),
    );
    fc.assert(
      fc.property(text, fc.constantFrom(...LANGUAGES), (value, language) => {
        const html = render(value, language);
        expect(tags(html)).to.deep.equal(tags(render("v", language)));
        expect(html).not.to.match(/[\u202a-\u202e\u2066-\u2069]/);
      }),
      { seed: 20261122, numRuns: 200 },
    );
  });

  it("ask for every operation by a form whose fields make its input again", () => {
    const place = { partition: "aws" as const, region: "us-east-1", account: "111122223333" };
    for (const definition of OPERATIONS) {
      const html = requestFormPage(CONTEXT, {
        definition,
        action: "new",
        hidden: {},
        account: "",
        region: "",
        placeIsFixed: false,
        typed: {},
        reason: "",
        asksCode: false,
      }).text;
      for (const parameter of definition.parameters) {
        expect(html)
          .to.contain(`name="${fieldName(parameter)}"`)
          .and.to.contain(`for="${fieldName(parameter)}"`);
      }
    }
    const operation = (api: string) => OPERATIONS.find((each) => each.api === api)!;
    expect(
      typedInput(operation("TerminateInstances"), { "parameter.InstanceIds": " i-1, i-2\ni-3;" }, place),
    ).to.deep.equal({ InstanceIds: ["i-1", "i-2", "i-3"] });
    expect(
      typedInput(
        operation("ScheduleKeyDeletion"),
        { "parameter.KeyId": "x", "parameter.PendingWindowInDays": "7" },
        place,
      ),
    ).to.deep.equal({ KeyId: "x", PendingWindowInDays: 7 });
    expect(
      typedInput(
        operation("DeleteDBInstance"),
        { "parameter.DBInstanceIdentifier": "a1", "parameter.SkipFinalSnapshot": "false" },
        place,
      ),
    ).to.deep.equal({ DBInstanceIdentifier: "a1", SkipFinalSnapshot: false });
    expect(typedInput(operation("DeleteBucket"), { "parameter.Bucket": "123456" }, place)).to.deep.equal({
      Bucket: "123456",
    });
  });
});
