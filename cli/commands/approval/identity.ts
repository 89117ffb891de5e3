import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { stsEndpointUrl } from "../../../components/regional/partition";
import { AUDIENCE_HEADER, audienceOf } from "../../../functions/approval/desk/proof";

interface SignedRequest {
  readonly headers: Record<string, string>;
}

/** Thrown in place of sending. */
class Signed extends Error {
  constructor(readonly request: SignedRequest) {
    super("signed");
  }
}

/**
 * The headers of a signed request to STS's GetCallerIdentity that also names a wish. It is not sent: the desk sends it, and so learns who signed.
 * @throws when there are no credentials
 */
export async function signedIdentity(
  region: string,
  cell: string,
  wish: unknown,
  credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string },
): Promise<Record<string, string>> {
  const client = new STSClient({
    region,
    // The host is signed, so it has to be AWS's own whatever this machine is told.
    endpoint: stsEndpointUrl(region),
    maxAttempts: 1,
    ...(credentials && { credentials }),
    requestHandler: {
      handle: (request: SignedRequest) => Promise.reject(new Signed(request)),
    } as never,
  });
  client.middlewareStack.add(
    (next) => (args) => {
      (args.request as SignedRequest).headers[AUDIENCE_HEADER] = audienceOf(cell, wish);
      return next(args);
    },
    { step: "build" },
  );
  try {
    await client.send(new GetCallerIdentityCommand({}));
  } catch (error) {
    if (!(error instanceof Signed)) throw error;
    // The user agent is not signed and differs between sender and sender.
    const { "user-agent": _agent, ...headers } = error.request.headers;
    return headers;
  }
  throw new Error("the request to STS was not signed");
}
