import { generateKeyPairSync, sign } from "node:crypto";

/**
 * A certificate signed by itself, for TLS servers of tests: made anew each time, so that no key lies in the repository and none expires.
 * X.509 in DER is nested "tag, length, content"; below, each function makes one kind of element.
 */
export interface TestCertificate {
  /** PEM. */
  key: string;
  /** PEM; its own authority. */
  cert: string;
}

function element(tag: number, ...contents: Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const length = content.length;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
const sequence = (...contents: Buffer[]) => element(0x30, ...contents);
const integer = (value: number) => element(0x02, Buffer.from([value]));
const utf8 = (text: string) => element(0x0c, Buffer.from(text));
const oid = (hex: string) => element(0x06, Buffer.from(hex, "hex"));
const bits = (content: Buffer) => element(0x03, Buffer.from([0]), content);
const octets = (content: Buffer) => element(0x04, content);
/** UTCTime, YYMMDDHHMMSSZ. */
const time = (date: Date) =>
  element(0x17, Buffer.from(`${date.toISOString().replace(/[-:T]/g, "").slice(2, 14)}Z`));

const ECDSA_WITH_SHA256 = sequence(oid("2a8648ce3d040302"));
const COMMON_NAME = oid("550403");
const SUBJECT_ALT_NAME = oid("551d11");
const DNS_NAME = 0x82;

/** A certificate for a host name, valid from an hour ago to an hour ahead. */
export function testCertificate(host: string, now = new Date()): TestCertificate {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const name = sequence(element(0x31, sequence(COMMON_NAME, utf8(host))));
  const hour = 3_600_000;
  const altNames = sequence(element(DNS_NAME, Buffer.from(host)));
  const content = sequence(
    element(0xa0, integer(2)),
    integer(1),
    ECDSA_WITH_SHA256,
    name,
    sequence(time(new Date(now.getTime() - hour)), time(new Date(now.getTime() + hour))),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    element(0xa3, sequence(sequence(SUBJECT_ALT_NAME, octets(altNames)))),
  );
  const certificate = sequence(content, ECDSA_WITH_SHA256, bits(sign("sha256", content, privateKey)));
  const lines = certificate.toString("base64").match(/.{1,64}/g)!;
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`,
  };
}
