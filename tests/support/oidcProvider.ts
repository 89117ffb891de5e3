/**
 * A provider of OpenID Connect on this machine, as much of one as a sign-in needs: discovery, keys, authorization with PKCE, tokens that are
 * signed, and an end of the session. Whoever is set as the next user is signed in without being asked.
 */
import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import * as http from "node:http";
import type { AddressInfo } from "node:net";

/** What the provider does next; tests turn it to make sign-ins go wrong. */
export interface ProviderBehaviour {
  claims: Record<string, unknown>;
  /** Refuses the sign-in. */
  denies: boolean;
  /** Claims of the token that are wrong on purpose. */
  wrongClaims: Record<string, unknown>;
  /** Signs with a key that it does not publish. */
  wrongKey: boolean;
}

export interface OidcProvider {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly behaviour: ProviderBehaviour;
  stop(): Promise<void>;
}

interface Grant {
  readonly challenge: string;
  readonly nonce: string;
  readonly redirectUri: string;
}

const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

export async function startOidcProvider(): Promise<OidcProvider> {
  const [keys, otherKeys] = [1, 2].map(() => generateKeyPairSync("ec", { namedCurve: "P-256" }));
  const grants = new Map<string, Grant>();
  const behaviour: ProviderBehaviour = { claims: {}, denies: false, wrongClaims: {}, wrongKey: false };
  const clientId = "bulkhead-approval";
  const clientSecret = "a secret: with + and %";

  function idToken(grant: Grant): string {
    const now = Math.floor(Date.now() / 1_000);
    const claims = {
      iss: provider.issuer,
      aud: clientId,
      sub: "subject-1",
      iat: now,
      exp: now + 300,
      nonce: grant.nonce,
      ...behaviour.claims,
      ...behaviour.wrongClaims,
    };
    const signed = `${encoded({ alg: "ES256", kid: "key-1", typ: "JWT" })}.${encoded(claims)}`;
    const key = (behaviour.wrongKey ? otherKeys! : keys!).privateKey;
    return `${signed}.${sign("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
  }

  function exchange(body: URLSearchParams, authorization: string): object | undefined {
    const [user = "", password = ""] = Buffer.from(authorization.replace(/^Basic /, ""), "base64")
      .toString()
      .split(":")
      .map((part) => decodeURIComponent(part.replace(/\+/g, " ")));
    const code = body.get("code") ?? "";
    const grant = grants.get(code);
    // A code is good for one try.
    grants.delete(code);
    const challenge = createHash("sha256")
      .update(body.get("code_verifier") ?? "")
      .digest("base64url");
    const right =
      user === clientId &&
      password === clientSecret &&
      body.get("grant_type") === "authorization_code" &&
      body.get("redirect_uri") === grant?.redirectUri &&
      challenge === grant?.challenge;
    return right
      ? {
          access_token: randomBytes(8).toString("hex"),
          token_type: "Bearer",
          expires_in: 300,
          id_token: idToken(grant!),
        }
      : undefined;
  }

  const server = http.createServer(async (request, response) => {
    const url = new URL(request.url ?? "/", provider.issuer);
    const json = (status: number, body: object) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    switch (url.pathname) {
      case "/.well-known/openid-configuration":
        return json(200, {
          issuer: provider.issuer,
          authorization_endpoint: `${provider.issuer}/authorize`,
          token_endpoint: `${provider.issuer}/token`,
          jwks_uri: `${provider.issuer}/keys`,
          end_session_endpoint: `${provider.issuer}/end`,
          response_types_supported: ["code"],
          subject_types_supported: ["public"],
          id_token_signing_alg_values_supported: ["ES256"],
          code_challenge_methods_supported: ["S256"],
          token_endpoint_auth_methods_supported: ["client_secret_basic"],
        });
      case "/keys":
        return json(200, {
          keys: [{ ...keys!.publicKey.export({ format: "jwk" }), kid: "key-1", use: "sig", alg: "ES256" }],
        });
      case "/authorize": {
        const query = url.searchParams;
        const back = new URL(query.get("redirect_uri") ?? "");
        if (behaviour.denies) back.searchParams.set("error", "access_denied");
        else {
          const code = randomBytes(16).toString("hex");
          grants.set(code, {
            challenge: query.get("code_challenge") ?? "",
            nonce: query.get("nonce") ?? "",
            redirectUri: query.get("redirect_uri") ?? "",
          });
          back.searchParams.set("code", code);
        }
        back.searchParams.set("state", query.get("state") ?? "");
        return response.writeHead(302, { location: back.href }).end();
      }
      case "/token": {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk);
        const tokens = exchange(
          new URLSearchParams(Buffer.concat(chunks).toString()),
          request.headers.authorization ?? "",
        );
        return tokens ? json(200, tokens) : json(400, { error: "invalid_grant" });
      }
      default:
        return response.writeHead(200, { "content-type": "text/plain" }).end("signed out");
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const provider: OidcProvider = {
    issuer: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    clientId,
    clientSecret,
    behaviour,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return provider;
}
