import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { expect } from "chai";
import type { Command } from "commander";
import { auditCommand } from "../../cli/commands/approval/audit";
import { cancelCommand } from "../../cli/commands/approval/cancel";
import { checkCommand } from "../../cli/commands/approval/check";
import { type ConnectDesk, connectDesk } from "../../cli/commands/approval/desk";
import { listCommand } from "../../cli/commands/approval/list";
import { reopenCommand } from "../../cli/commands/approval/reopen";
import { requestCommand } from "../../cli/commands/approval/request";
import { showCommand } from "../../cli/commands/approval/show";
import { CliError, EXIT_CODES } from "../../cli/exitCodes";
import { type Answer, atDesk, type DeskParts, wishSchema } from "../../functions/approval/desk/desk";
import { intakeSettings } from "../../functions/approval/intake/settings";
import { world } from "../functions/approval/support/engineWorld";
import { ALICE, denied, EVENT_ID } from "../functions/approval/support/events";

const event = denied("ec2", "TerminateInstances", {
  instancesSet: { items: [{ instanceId: "i-0fc5d99558e8357e8" }] },
});

describe("bulkhead approval", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "bulkhead-approval-"));
  const written = (name: string, content: unknown) => {
    const file = path.join(folder, name);
    fs.writeFileSync(file, JSON.stringify(content));
    return file;
  };
  after(() => fs.rmSync(folder, { recursive: true }));

  /** The commands, at a desk in memory, used by Alice. */
  function commands() {
    const made = world();
    let ids = 0;
    const parts: DeskParts = {
      ...made.parts,
      auditReader: made.audit,
      intakeSettings: intakeSettings(),
      newId: () => `00000000-0000-4000-8000-${String(++ids).padStart(12, "0")}`,
    };
    const connect: ConnectDesk = (_folder, cell) => ({
      cell,
      async ask(wish) {
        const answer: Answer = await atDesk(parts, String(ALICE.arn), wishSchema.parse(wish));
        if ("refused" in answer) throw new CliError(EXIT_CODES.failed, `Refused: ${answer.refused}.`);
        return answer as never;
      },
    });
    const run = async (command: (connect: ConnectDesk) => Command, ...args: string[]) => {
      const written: string[] = [];
      const { write } = process.stdout;
      process.stdout.write = ((text: string) => written.push(text) > 0) as typeof write;
      try {
        await command(connect).exitOverride().parseAsync(args, { from: "user" });
      } finally {
        process.stdout.write = write;
      }
      return written.join("");
    };
    const problem = (command: (connect: ConnectDesk) => Command, ...args: string[]) =>
      run(command, ...args).then(
        () => undefined,
        (error: CliError) => error,
      );
    return { ...made, run, problem };
  }

  it("opens a request from an event, a file with an operation, and options", async () => {
    const { run } = commands();
    expect(await run(requestCommand, written("event.json", event), "--reason", "old")).to.match(
      /^Request 0{8}-.* is open/,
    );
    const operation = {
      service: "ec2",
      api: "DeleteSubnet",
      input: { SubnetId: "subnet-0d840b9ab96eb41ca" },
      account: "111122223333",
      region: "us-east-1",
    };
    expect(await run(requestCommand, written("operation.json", operation), "--reason", "old")).to.match(
      /is open/,
    );
    const { service, api, input, account, region } = operation;
    const typed = [
      "--service",
      service,
      "--api",
      api,
      "--input",
      JSON.stringify(input),
      "--account",
      account,
      "--region",
      region,
    ];
    expect(await run(requestCommand, ...typed, "--reason", "old")).to.match(
      /There is a request for this already/,
    );
    const list = JSON.parse(await run(listCommand, "--json")) as { request: { state: string } }[];
    expect(list.map(({ request }) => request.state)).to.deep.equal(["requested", "requested"]);
  });

  it("says what is wrong with its input, and exits with 2", async () => {
    const { problem } = commands();
    const usage = async (...args: string[]) => {
      const error = await problem(requestCommand, ...args, "--reason", "old");
      expect(error).to.have.property("exitCode", EXIT_CODES.usage);
      return error!.message;
    };
    expect(await usage()).to.include("--service, --api, --input, --account, --region missing");
    expect(await usage(written("two.json", [event, event]))).to.include("2 events");
    expect(await usage(written("odd.json", { service: "ec2" }))).to.include(
      "api of the operation is missing",
    );
    const other = await problem(auditCommand, "--since", "yesterday");
    expect(other).to.have.property("exitCode", EXIT_CODES.usage);
    const refused = await problem(
      requestCommand,
      written("hidden.json", { ...event, requestParameters: { odd: 1 } }),
      "--reason",
      "x",
    );
    expect(refused).to.have.property("exitCode", EXIT_CODES.failed);
    expect(refused!.message).to.match(/^Refused: /);
  });

  it("lists, shows, cancels and exports", async () => {
    const { run, problem, deliver } = commands();
    expect(await run(listCommand)).to.equal("No request is open.\n");
    await deliver(event);
    expect(await run(listCommand)).to.match(
      new RegExp(`^${EVENT_ID} {2}prod {2}requested .* ec2:TerminateInstances in 111122223333`),
    );
    const shown = await run(showCommand, EVENT_ID);
    expect(shown).to.include("ec2:TerminateInstances").and.include("open  requested");
    expect(await run(cancelCommand, EVENT_ID)).to.equal(`Request ${EVENT_ID} is cancelled.\n`);
    expect((await problem(cancelCommand, EVENT_ID))?.message).to.include("past the point");
    expect((await problem(reopenCommand, EVENT_ID))?.message).to.include("no other cell");
    const range = ["--since", "2026-11-23", "--until", "2026-11-24"];
    const entries = JSON.parse(await run(auditCommand, ...range)) as { what: string }[];
    expect(entries.map(({ what }) => what)).to.deep.equal(["open", "requested", "cancel"]);
    expect(await run(auditCommand, ...range, "--format", "csv")).to.match(/^at,requestId,/);
    expect(await run(auditCommand, ...range, "--format", "html")).to.match(/^<!doctype html>/);
  });

  it("names a missing stack's file", () => {
    expect(() => connectDesk(folder, "nowhere")).to.throw(CliError, "There is no Pulumi.nowhere.yaml");
  });

  describe("check", () => {
    const { run } = commands();
    const person = (id: string, more: object = {}) => ({ id, name: id, mail: `${id}@example.com`, ...more });
    const directory = {
      version: 1,
      people: [person("bob", { groups: ["leads"] }), person("eve", { groups: ["leads"], active: false })],
      rules: [
        {
          name: "all",
          thresholds: [
            { atLeast: 0, name: "any", levels: [{ group: "leads", quorum: 1, timeoutSeconds: 60 }] },
          ],
        },
      ],
    };

    it("says of a directory who can decide on what", async () => {
      const text = await run(checkCommand, written("directory.json", directory));
      expect(text).to.match(/directory\.json can be used\.\n/);
      expect(text).to.include("people: 1 active, 1 not\ngroup leads: bob\n");
      expect(text).to.include(
        'rule "all", for everything that no other fits\n  from risk 0 (any): 1 of leads\n',
      );
    });

    it("says of mail templates which there are", async () => {
      const templates = { version: 1, templates: { denied: { en: { subject: "No", text: "{{outcome}}" } } } };
      expect(await run(checkCommand, written("templates.json", templates))).to.match(
        /can be used\.\ndenied: en\n$/,
      );
    });

    const wrong: [string, object, RegExp][] = [
      [
        "two people of one name",
        { ...directory, people: [...directory.people, person("BOB")] },
        /have a name in common/,
      ],
      [
        "a rule that nobody can meet",
        { ...directory, people: [person("eve")] },
        /rules\[0\] needs 1 of a group that has 0/,
      ],
      [
        "a mail that hides what it is about",
        { version: 1, templates: { decide: { en: { subject: "x", text: "{{action}}" } } } },
        /decide\.en.*summary/,
      ],
    ];
    for (const [what, document, message] of wrong) {
      it(`refuses ${what}, and says where`, async () => {
        const file = written("wrong.json", document);
        const failure = await run(checkCommand, file).catch((error: unknown) => error);
        expect(failure).to.be.instanceOf(CliError).with.property("exitCode", EXIT_CODES.failed);
        expect((failure as CliError).message)
          .to.match(/wrong\.json: /)
          .and.match(message);
      });
    }
  });
});
