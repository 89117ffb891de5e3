/** Configuration, secrets, locks and the state file. */

import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { expect } from "chai";
import { readConfig, readProject } from "../../local/engine/config";
import { StackLock } from "../../local/engine/lock";
import { Crypter } from "../../local/engine/secrets";
import { StateStore, stateFile } from "../../local/engine/store";
import { FIXTURES, PASSPHRASE } from "./support";

const PROGRAM = path.join(FIXTURES, "program");

async function rejection(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("it should have failed");
}

describe("engine: configuration", () => {
  let folder: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "engine-config-"));
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  const write = (project: string, stack = "") => {
    fs.writeFileSync(path.join(folder, "Pulumi.yaml"), project);
    fs.writeFileSync(path.join(folder, "Pulumi.dev.yaml"), stack);
    return readProject(folder);
  };
  const read = (project: string, stack: string, overrides = {}) =>
    readConfig(write(project, stack), "dev", PASSPHRASE, overrides);

  it("decrypts what pulumi itself encrypted, plain and inside structures", async () => {
    const config = await readConfig(readProject(PROGRAM), "dev", PASSPHRASE, { config: { spec: "{}" } });
    expect(config.values).to.deep.equal({
      "fake:prefix": "p",
      "fixture:count": "3",
      "fixture:nested": '{"plain":"007","list":["inner"]}',
      "fixture:spec": "{}",
      "fixture:token": "made by pulumi",
    });
    expect(config.secretKeys).to.deep.equal(["fixture:nested", "fixture:token"]);
    const message = await rejection(
      readConfig(readProject(PROGRAM), "dev", "wrong", { config: { spec: "{}" } }),
    );
    expect(message).to.include("the passphrase does not fit");
  });

  const TYPED = `
name: app
runtime: nodejs
config:
  region: { type: string }
  count: { type: integer, default: 3 }
  on: { type: boolean, default: true }
  list: { type: array, items: { type: string }, default: [a, b] }
  token: { type: string, secret: true, default: none }
  aws:region: { value: us-west-2 }
  plain: just this
`;

  it("applies declared defaults and keeps the text of scalars as it is written", async () => {
    const config = await read(
      TYPED,
      'config:\n  app:region: eu-west-1\n  app:account: 000000000001\n  "app:config:old": x\n',
    );
    expect(config.values).to.deep.equal({
      "app:account": "000000000001",
      "app:count": "3",
      "app:list": '["a","b"]',
      "app:old": "x",
      "app:on": "true",
      "app:plain": "just this",
      "app:region": "eu-west-1",
      "app:token": "none",
      "aws:region": "us-west-2",
    });
  });

  it("tells everything that is missing or of the wrong type at once", async () => {
    const stack = "config:\n  app:count: many\n  app:on: 1\n  app:list: [a, 2]\n  app:token: in clear\n";
    expect((await rejection(read(TYPED, stack))).split("\n")).to.deep.equal([
      "Stack 'dev' is missing configuration value 'region'",
      "Stack 'dev' with configuration key 'count' must be of type 'integer'",
      "Stack 'dev' with configuration key 'on' must be of type 'boolean'",
      "Stack 'dev' with configuration key 'list' must be of type 'array<string>'",
      "Stack 'dev' with configuration key 'token' must be encrypted as it's secret",
    ]);
  });

  it("overrides come last, also structured and secret ones", async () => {
    const overrides = { config: { region: "r", list: '["x"]' }, secretConfig: { token: "t" } };
    const config = await read(TYPED, "config:\n  app:region: other\n", overrides);
    expect(config.values).to.include({ "app:region": "r", "app:list": '["x"]', "app:token": "t" });
    expect(config.secretKeys).to.deep.equal(["app:token"]);
    expect(await rejection(read(TYPED, "", { config: { region: "r", list: "x" } }))).to.include(
      "'list' must be of type",
    );
  });

  it("knows the entry point, the folder it runs in and the compiler's options", () => {
    fs.mkdirSync(path.join(folder, "stacks"));
    const base = "name: app\nruntime:\n  name: nodejs\n  options:\n    tsconfig: ../tsconfig.json\nmain: ";
    const file = write(`${base}stacks/index.ts\n`);
    expect(file).to.include({ workingDirectory: path.join(folder, "stacks"), entryPoint: "index.ts" });
    expect(file.options).to.deep.equal({ typescript: true, tsconfig: "../tsconfig.json", nodeargs: [] });
    expect(write(`${base}stacks\n`)).to.include({
      workingDirectory: path.join(folder, "stacks"),
      entryPoint: ".",
    });
  });

  it("names what it cannot do", async () => {
    expect(() => readProject(os.tmpdir())).to.throw("there is no Pulumi.yaml in");
    expect(() => write("name: app\nruntime: python\n")).to.throw("the runtime is python");
    expect(() => write("name: app\nruntime: { name: nodejs, options: { loader: x } }\n")).to.throw(
      "runtime.options.loader is not implemented",
    );
    expect(await rejection(read("name: app\nruntime: nodejs\n", "environment: [prod]\n"))).to.include(
      "(Pulumi ESC)",
    );
    const foreign = "secretsprovider: awskms://key\nconfig:\n  app:x:\n    secure: AAA\n";
    expect(await rejection(read("name: app\nruntime: nodejs\n", foreign))).to.include(
      "another secrets provider",
    );
  });
});

describe("engine: secrets", () => {
  it("encrypts so that the same passphrase opens it and nothing else does", async () => {
    const made = await Crypter.create("one");
    expect(made.salt).to.match(/^v1:[^:]+:v1:[^:]+:[^:]+$/);
    const opened = await Crypter.open(made.salt, "one", "here");
    const text = made.encrypt("käse");
    expect(text).to.match(/^v1:[A-Za-z0-9+/=]{16}:/);
    expect(opened.decrypt(text)).to.equal("käse");
    expect(made.encrypt("käse")).to.not.equal(text);
    const broken = `${text.slice(0, -4)}AAA=`;
    expect(() => opened.decrypt(broken)).to.throw();
    expect(await rejection(Crypter.open(made.salt, "two", "here"))).to.include(
      "here: the passphrase does not fit",
    );
    expect(await rejection(Crypter.open("v2:x", "one", "here"))).to.include("malformed");
  });
});

describe("engine: lock", () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "engine-lock-"));
    file = path.join(folder, "dev.json.lock");
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  it("keeps a second run off and lets the next one in", () => {
    const lock = StackLock.acquire(file, "dev");
    expect(() => StackLock.acquire(file, "dev")).to.throw(`another run (process ${process.pid}`);
    lock.release();
    StackLock.acquire(file, "dev").release();
    expect(fs.readdirSync(folder)).to.deep.equal([]);
  });

  it("takes over the lock of a process that is gone, or whose number another process has now", () => {
    const { pid } = spawnSync(process.execPath, ["-e", ""]);
    fs.writeFileSync(file, JSON.stringify({ pid, began: "1", token: "t", since: "then" }));
    StackLock.acquire(file, "dev").release();
    fs.writeFileSync(file, JSON.stringify({ pid: process.pid, began: "1", token: "t", since: "then" }));
    if (fs.existsSync("/proc/self/stat")) StackLock.acquire(file, "dev").release();
    fs.writeFileSync(file, "not a lock");
    StackLock.acquire(file, "dev").release();
  });

  it("does not release a lock that has passed to another run", () => {
    const lock = StackLock.acquire(file, "dev");
    const theirs = JSON.stringify({ pid: process.pid, began: "", token: "theirs", since: "now" });
    fs.writeFileSync(file, theirs);
    lock.release();
    expect(fs.readFileSync(file, "utf8")).to.equal(theirs);
  });
});

describe("engine: state file", () => {
  let folder: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "engine-store-"));
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  const open = () => StateStore.open({ stateDir: folder, stack: "dev", passphrase: PASSPHRASE });
  const resource = (name: string) => ({
    urn: `urn:pulumi:dev::p::a:b:C::${name}`,
    type: "a:b:C",
    custom: true,
    id: name,
    inputs: {},
    outputs: {},
    dependencies: [],
    propertyDependencies: {},
  });

  it("a save that was waited for holds every change made before it, however many are under way", async () => {
    const store = await open();
    const resources: ReturnType<typeof resource>[] = [];
    store.follow(() => ({ resources: [...resources], pending: [] }));
    await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        for (let turn = 0; turn < i % 5; turn++) await new Promise((resolve) => setImmediate(resolve));
        resources.push(resource(`r${i}`));
        await store.save();
        const ids = JSON.parse(fs.readFileSync(store.file, "utf8")).deployment.resources.map(
          (r: { id: string }) => r.id,
        );
        expect(ids).to.include(`r${i}`);
      }),
    );
    await store.close();
    expect((await open()).initial.resources).to.have.length(50);
    expect(fs.readdirSync(folder).sort()).to.deep.equal(["dev.json", "dev.json.bak"]);
    expect(fs.statSync(store.file).mode & 0o077).to.equal(0);
  });

  it("refuses what is no state, other secrets providers, and names that are no file names", async () => {
    fs.writeFileSync(path.join(folder, "dev.json"), "{");
    expect(await rejection(open())).to.include("dev.json is not JSON");
    fs.writeFileSync(path.join(folder, "dev.json"), '{"version":2}');
    expect(await rejection(open())).to.include("expected a deployment of version 3");
    const cloud = {
      version: 3,
      deployment: { manifest: {}, secrets_providers: { type: "cloud", state: {} } },
    };
    fs.writeFileSync(path.join(folder, "dev.json"), JSON.stringify(cloud));
    expect(await rejection(open())).to.include('secrets provider "cloud"');
    expect(() => stateFile(folder, "../x")).to.throw("is not a stack name");
  });
});
