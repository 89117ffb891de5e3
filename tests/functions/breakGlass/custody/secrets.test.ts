import { inspect } from "node:util";
import { expect } from "chai";
import * as fc from "fast-check";
import * as openpgp from "openpgp";
import { readCustodianKey } from "../../../../functions/breakGlass/custody/custodianKey";
import { groupedFingerprint } from "../../../../functions/breakGlass/custody/fingerprint";
import { generatePassword } from "../../../../functions/breakGlass/custody/password";
import { Secret } from "../../../../functions/breakGlass/custody/secret";
import { secretsIn, variants } from "./canary";
import { failure } from "./support";

const CLASSES = [/[a-z]/, /[A-Z]/, /[0-9]/, /[!@#$%^&*()_+\-=[\]{}|']/];

describe("break-glass custody: passwords in memory", () => {
  it("have the length, all four classes, and no look-alikes", () => {
    fc.assert(
      fc.property(fc.integer({ min: 32, max: 128 }), (length) => {
        const text = generatePassword(length).reveal();
        expect(text).to.have.length(length);
        for (const each of CLASSES) expect(text).to.match(each);
        expect(text).to.not.match(/[0Oo1lI|'`" ]/);
      }),
      { seed: 4, numRuns: 100 },
    );
    expect(generatePassword().reveal()).to.have.length(40);
  });

  it("are drawn anew until every class is there, from all characters alike", () => {
    // A source that first gives only the first character, then counts up.
    let calls = 0;
    const text = generatePassword(32, (limit) => (calls++ < 64 ? 0 : calls % limit)).reveal();
    for (const each of CLASSES) expect(text).to.match(each);
    const counts = new Map<string, number>();
    for (let round = 0; round < 200; round++) {
      for (const character of generatePassword(128).reveal())
        counts.set(character, (counts.get(character) ?? 0) + 1);
    }
    expect(counts.size).to.equal(24 + 24 + 8 + 16);
    const expected = (200 * 128) / counts.size;
    for (const count of counts.values()) expect(count).to.be.within(expected * 0.6, expected * 1.4);
  });

  for (const length of [31, 129, 40.5, Number.NaN]) {
    it(`refuse a length of ${length}`, () => {
      expect(() => generatePassword(length)).to.throw("a whole number from 32 to 128");
    });
  }

  it("show themselves to nobody and are gone once wiped", () => {
    const text = "correct-horse-battery-staple";
    const secret = new Secret(Buffer.from(text));
    const shown = [
      `${secret}`,
      JSON.stringify({ secret }),
      inspect({ secret }, { showHidden: true, depth: 9 }),
      String(secret),
    ];
    for (const each of shown) expect(secretsIn(each, [text])).to.deep.equal([]);
    expect(Object.keys(secret)).to.deep.equal([]);
    const bytes = secret.bytes();
    secret.wipe();
    expect([...bytes].every((byte) => byte === 0)).to.equal(true);
    expect(() => secret.reveal()).to.throw("wiped");
    secret.wipe();
  });

  it("are found by the canary in every form", () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 8, maxLength: 40 }),
        fc.string(),
        fc.string(),
        (secret, left, right) => {
          const whole = Buffer.from(`${left}${secret}${right}`);
          expect(secretsIn(`${left}${secret}${right}`, [secret])).to.deep.equal([secret]);
          expect(secretsIn(whole.toString("base64"), [secret])).to.deep.equal([secret]);
          expect(secretsIn(whole.toString("hex"), [secret])).to.deep.equal([secret]);
        },
      ),
      { seed: 4, numRuns: 300 },
    );
    expect(variants("abc").length).to.be.above(5);
  });
});

describe("break-glass custody: a custodian's key", () => {
  const DAY = 24 * 3_600_000;
  type Options = Partial<Parameters<typeof openpgp.generateKey>[0]>;
  const makeKey = (options: Options = {}) =>
    openpgp.generateKey({
      type: "ecc",
      userIDs: [{ email: "alice@example.com" }],
      ...options,
      format: "object",
    } as openpgp.KeyOptions & { format: "object" });

  it("encrypts to its owner alone, given as armour or in base64", async () => {
    const { privateKey, publicKey } = await makeKey();
    const secret = new Secret(Buffer.from("the password"));
    for (const text of [publicKey.armor(), Buffer.from(publicKey.write()).toString("base64")]) {
      const key = await readCustodianKey(text, "alice");
      expect(key.fingerprint).to.equal(publicKey.getFingerprint().toUpperCase());
      expect(key.userIds.join()).to.include("alice@example.com");
      const message = await key.encrypt(secret);
      expect(message).to.match(/^-----BEGIN PGP MESSAGE-----/);
      expect(secretsIn(message, ["the password"])).to.deep.equal([]);
      const { data } = await openpgp.decrypt({
        message: await openpgp.readMessage({ armoredMessage: message }),
        decryptionKeys: privateKey,
      });
      expect(data).to.equal("the password");
    }
    expect(groupedFingerprint("ABCDEF")).to.equal("ABCD EF");
  });

  it("is refused when it is private, expired, revoked, for signatures only, or no key", async () => {
    const { privateKey, publicKey } = await makeKey();
    const refusal = async (text: string, now?: Date) =>
      (await failure(readCustodianKey(text, "alice", now))).message;
    expect(await refusal(privateKey.armor())).to.include("private key");
    const unarmored = Buffer.from(privateKey.write()).toString("base64");
    expect(await refusal(unarmored)).to.match(/private key|not a public key/);
    expect(await refusal("hello")).to.include("not a public key");

    const { publicKey: short } = await makeKey({ keyExpirationTime: 3600 });
    expect((await readCustodianKey(short.armor(), "alice")).expiresAt).to.be.instanceOf(Date);
    expect(await refusal(short.armor(), new Date(Date.now() + DAY)))
      .to.include("expired on")
      .and.include("Nothing was changed");

    const { publicKey: revoked } = await openpgp.revokeKey({ key: privateKey, format: "object" });
    expect(await refusal(revoked.armor())).to.include("is revoked");

    const { publicKey: signing } = await makeKey({ subkeys: [{ sign: true }] });
    expect(await refusal(signing.armor())).to.include("cannot encrypt");

    const cut = publicKey.armor().split("\n");
    cut.splice(4, 1);
    expect(await refusal(cut.join("\n"))).to.include("PGP key of alice");
  });
});
