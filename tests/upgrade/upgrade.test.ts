import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { expect } from "chai";
import { EmbeddedDriver } from "../../local/engine";
import { type LocalEnvironment, startEnvironment } from "../../local/environment";
import { createAwsProvider } from "../../local/provider";
import { root } from "../e2e/support";

/**
 * Upgrades from the saved state of each earlier version: what a user has deployed must be changed in place or left alone, never replaced or
 * deleted. `UPDATE_STATES=1` saves the state of today's version below states/VERSION, for a release.
 */

const STATES = path.join(__dirname, "states");
const PASSPHRASE = "upgrade-test";
const STACKS = ["dr", "prod"];
/**
 * What goes on purpose since a version. Calls of emergency users go to the function that tells of a whole use at once, no longer to the topic
 * one by one; the rules stay, and get the function for a target.
 */
const RETIRED: Record<string, RegExp> = { "0.1.0": /EventTarget::break-glass-monitor-(member-)?use-alert$/ };
/** What stands in a saved state for the folder of the checkout that it was made in. */
const CHECKOUT = "/checkout";

describe("upgrade from saved state", function () {
  this.timeout(120_000);
  let environment: LocalEnvironment;
  let folder: string;
  before(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "bulkhead-upgrade-"));
    environment = await startEnvironment({
      root,
      engine: "local",
      stateDir: path.join(folder, "environment"),
    });
  });
  after(async () => {
    await environment?.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  const driverAt = (stateDir: string) =>
    new EmbeddedDriver({
      stateDir,
      passphrase: PASSPHRASE,
      providers: () => createAwsProvider({ env: { ...process.env, ...environment.deployment("prod").env } }),
    });

  if (process.env.UPDATE_STATES) {
    it("saves the state of today's version", async () => {
      const { version } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8"));
      const states = path.join(STATES, version);
      fs.mkdirSync(states, { recursive: true });
      const driver = driverAt(path.join(folder, "new"));
      for (const stack of STACKS) {
        const deployment = environment.deployment(stack);
        const up = await driver.up(deployment);
        expect(up.ok, JSON.stringify(up.diagnostics)).to.equal(true);
        const state = JSON.stringify(await driver.exportState(stack), null, 1);
        fs.writeFileSync(path.join(states, `${stack}.json`), state.replaceAll(root, CHECKOUT));
        fs.writeFileSync(path.join(states, "config.json"), JSON.stringify(deployment.config, null, 1));
      }
    });
  }

  for (const version of fs.existsSync(STATES) ? fs.readdirSync(STATES) : []) {
    for (const stack of STACKS) {
      it(`${stack} of ${version}: nothing is replaced or deleted`, async () => {
        const stateDir = path.join(folder, version);
        fs.mkdirSync(stateDir, { recursive: true });
        const saved = fs.readFileSync(path.join(STATES, version, `${stack}.json`), "utf8");
        fs.writeFileSync(path.join(stateDir, `${stack}.json`), saved.replaceAll(CHECKOUT, root));
        const config = JSON.parse(fs.readFileSync(path.join(STATES, version, "config.json"), "utf8"));
        const preview = await driverAt(stateDir).preview({ ...environment.deployment(stack), config });
        expect(preview.diagnostics.filter(({ severity }) => severity === "error")).to.deep.equal([]);
        const harmful = preview.plan.filter(
          ({ op, urn }) =>
            !["same", "create", "update", "read"].includes(op) &&
            !(op === "delete" && RETIRED[version]?.test(urn)),
        );
        expect(harmful.map(({ op, urn, replaceKeys }) => ({ op, urn, replaceKeys }))).to.deep.equal([]);
        expect(preview.counts.same, "the saved state is that of this program").to.be.above(30);
      });
    }
  }
});
