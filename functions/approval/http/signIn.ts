/** Signing in at an OpenID Connect provider: authorization code with PKCE, state and nonce. */
import * as oidc from "openid-client";
import * as z from "zod";
import { BulkheadError } from "../../shared/errors/bulkheadError";
import type { ParameterReader } from "../../shared/parameters/parameterReader";

/** How the provider is used. */
export interface OidcSettings {
  /** The provider's issuer, https. */
  readonly issuer: string;
  readonly clientId: string;
  /**
   * Parameter with the client's secret.
   * @default none: a public client, which PKCE protects
   */
  readonly clientSecretParameter?: string;
  /** @default openid email profile */
  readonly scopes?: string;
  /**
   * The claim by which the directory knows people.
   * @default email
   */
  readonly identityClaim?: string;
  /**
   * The claim with a person's groups.
   * @default none: the directory's groups count
   */
  readonly groupsClaim?: string;
  /**
   * Whether an address has to be marked as verified to be taken. Only for `email`.
   * @default true
   */
  readonly requireVerifiedEmail?: boolean;
}

/** What a browser keeps between leaving for the provider and coming back. */
export const pendingSignInSchema = z.object({
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  /** Where to go afterwards: one of our own pages. */
  to: z.string(),
});
export type PendingSignIn = z.infer<typeof pendingSignInSchema>;

/** Who the provider says has signed in. */
export interface SignedIn {
  /** Value of the identity claim. */
  readonly name: string;
  /** Values of the groups claim; undefined when none is configured. */
  readonly groups?: readonly string[];
}

/** A way to sign in. */
export interface SignIn {
  /** Begins: where to send the browser, and what it has to bring back. */
  begin(to: string): Promise<{ readonly url: string; readonly pending: PendingSignIn }>;
  /**
   * Completes.
   * @param answer the query with which the browser came back
   * @throws BulkheadError `sign-in-failed`
   */
  complete(answer: URLSearchParams, pending: PendingSignIn): Promise<SignedIn>;
  /** Where one signs out at the provider; undefined when it has no such page. */
  endUrl(): Promise<string | undefined>;
}

const HOUR = 3_600_000;

/** Signs in at any provider of OpenID Connect that has a discovery document. */
export class OidcSignIn implements SignIn {
  private discovered: { readonly config: oidc.Configuration; readonly at: number } | undefined;

  /**
   * @param callback address that the provider sends browsers back to
   * @param allowHttp takes a provider without TLS: for tests, on this machine
   */
  constructor(
    private readonly settings: OidcSettings,
    private readonly callback: string,
    private readonly parameters: ParameterReader,
    private readonly allowHttp = false,
  ) {}

  async begin(to: string) {
    const config = await this.config();
    const pending: PendingSignIn = {
      state: oidc.randomState(),
      nonce: oidc.randomNonce(),
      verifier: oidc.randomPKCECodeVerifier(),
      to,
    };
    const url = oidc.buildAuthorizationUrl(config, {
      redirect_uri: this.callback,
      scope: this.settings.scopes ?? "openid email profile",
      state: pending.state,
      nonce: pending.nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(pending.verifier),
      code_challenge_method: "S256",
    });
    return { url: url.href, pending };
  }

  async complete(answer: URLSearchParams, { state, nonce, verifier }: PendingSignIn): Promise<SignedIn> {
    try {
      const url = new URL(this.callback);
      url.search = answer.toString();
      const tokens = await oidc.authorizationCodeGrant(await this.config(), url, {
        pkceCodeVerifier: verifier,
        expectedState: state,
        expectedNonce: nonce,
        idTokenExpected: true,
      });
      return this.signedIn(tokens.claims() ?? {});
    } catch (cause) {
      if (cause instanceof BulkheadError) throw cause;
      throw new BulkheadError("sign-in-failed", "the identity provider's answer was not taken", { cause });
    }
  }

  async endUrl(): Promise<string | undefined> {
    const config = await this.config();
    if (config.serverMetadata().end_session_endpoint === undefined) return undefined;
    return oidc.buildEndSessionUrl(config).href;
  }

  private signedIn(claims: Readonly<Record<string, unknown>>): SignedIn {
    const { identityClaim = "email", groupsClaim, requireVerifiedEmail = true } = this.settings;
    const name = claims[identityClaim];
    if (typeof name !== "string" || name === "") {
      throw new BulkheadError(
        "sign-in-failed",
        `the identity provider's token has no claim ${identityClaim}`,
      );
    }
    // An address that nobody has checked is whatever its owner typed.
    if (identityClaim === "email" && requireVerifiedEmail && claims.email_verified !== true) {
      throw new BulkheadError(
        "sign-in-failed",
        "the identity provider does not say that the address is verified: let it send email_verified, or name another claim (identityClaim)",
      );
    }
    const said = groupsClaim === undefined ? undefined : claims[groupsClaim];
    return {
      name,
      ...(groupsClaim !== undefined && {
        groups: (Array.isArray(said) ? said : [said]).filter(
          (each): each is string => typeof each === "string",
        ),
      }),
    };
  }

  /** The provider's configuration, read anew each hour: its keys and addresses change. */
  private async config(): Promise<oidc.Configuration> {
    if (this.discovered && Date.now() - this.discovered.at < HOUR) return this.discovered.config;
    const { issuer, clientId, clientSecretParameter } = this.settings;
    try {
      const secret = clientSecretParameter && (await this.parameters.read(clientSecretParameter));
      const config = await oidc.discovery(
        new URL(issuer),
        clientId,
        undefined,
        secret ? oidc.ClientSecretBasic(secret) : oidc.None(),
        { timeout: 5, ...(this.allowHttp && { execute: [oidc.allowInsecureRequests] }) },
      );
      this.discovered = { config, at: Date.now() };
      return config;
    } catch (cause) {
      if (this.discovered) return this.discovered.config;
      throw new BulkheadError("sign-in-provider", "the identity provider's configuration cannot be read", {
        cause,
      });
    }
  }
}
