import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { expect } from "chai";
import { type DeploymentResult, pulumiVersion } from "../../local/engine";
import { type EngineChoice, type LocalEnvironment, startEnvironment } from "../../local/environment";
import { root } from "./support";

/** Both stacks through their whole life, against the emulated AWS, with the policy pack enforced. */
function lifeOfBothStacks(engine: EngineChoice): void {
  let environment: LocalEnvironment;
  let stateDir: string;

  before(async () => {
    stateDir = fs.mkdtempSync(path.join(os.tmpdir(), "bulkhead-state-"));
    environment = await startEnvironment({ root, engine, stateDir });
  });
  after(async () => {
    await environment?.stop();
    fs.rmSync(stateDir, { recursive: true, force: true });
  });

  const demandOk = (result: DeploymentResult) => {
    expect(result.diagnostics.filter(({ severity }) => severity === "error")).to.deep.equal([]);
    expect(result.policyViolations).to.deep.equal([]);
    expect(result.ok).to.equal(true);
  };
  const types = (result: DeploymentResult, op: string) =>
    result.plan
      .filter((item) => item.op === op)
      .map(({ type, urn }) => `${type} ${urn.split("::").pop()}`)
      .sort();

  for (const stack of ["dr", "prod"]) {
    let resources: number;

    it(`${stack}: the preview tells what up then does`, async () => {
      const preview = await environment.driver.preview(environment.deployment(stack));
      demandOk(preview);
      const up = await environment.driver.up(environment.deployment(stack));
      demandOk(up);
      expect(types(up, "create")).to.deep.equal(types(preview, "create"));
      expect(up.counts).to.deep.equal(preview.counts);
      resources = up.counts.create!;
      expect(resources).to.be.above(40);
    });

    it(`${stack}: a second up changes nothing`, async () => {
      const up = await environment.driver.up(environment.deployment(stack));
      demandOk(up);
      expect(up.counts).to.deep.equal({ same: resources });
    });

    it(`${stack}: one more receiver of alerts is one more subscription, and nothing else changes`, async () => {
      const deployment = environment.deployment(stack);
      const config = { ...deployment.config, alertEmails: '["security@example.com","second@example.com"]' };
      const up = await environment.driver.up({ ...deployment, config });
      demandOk(up);
      expect(up.counts).to.deep.equal({ create: 1, same: resources });
      expect(types(up, "create")).to.deep.equal([
        "aws:sns/topicSubscription:TopicSubscription alerts-email-second@example.com",
      ]);
      const back = await environment.driver.up(deployment);
      demandOk(back);
      expect(back.counts).to.deep.equal({ delete: 1, same: resources });
    });

    it(`${stack}: a refresh finds nothing that the next up would change`, async () => {
      demandOk(await environment.driver.refresh(environment.deployment(stack)));
      const up = await environment.driver.up(environment.deployment(stack));
      demandOk(up);
      expect(up.counts).to.deep.equal({ same: resources });
    });

    it(`${stack}: the state holds no password, and its secrets are encrypted`, async () => {
      const text = JSON.stringify(await environment.driver.exportState(stack));
      expect(text).not.to.match(/"password":|BEGIN PGP PRIVATE|AWS_SECRET_ACCESS_KEY/);
    });
  }

  it("destroys both again", async () => {
    for (const stack of ["prod", "dr"]) {
      const result = await environment.driver.destroy(environment.deployment(stack));
      demandOk(result);
      expect(result.counts.delete).to.be.above(40);
    }
  });
}

describe("both stacks on the local engine", function () {
  this.timeout(300_000);
  lifeOfBothStacks("local");
});

describe("both stacks on the genuine pulumi", function () {
  this.timeout(300_000);
  if (pulumiVersion() === undefined) {
    it("is skipped: there is no pulumi on PATH (npm run test:pulumi uses it)");
  } else {
    lifeOfBothStacks("pulumi");
  }
});
