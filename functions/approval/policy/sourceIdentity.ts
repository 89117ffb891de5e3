/** What STS takes as a source identity: CloudTrail shows it in every call of the session. */
const SOURCE_IDENTITY = /^[\w+=,.@-]{2,64}$/;

/**
 * The source identity of the session that carries out a request: the request's id.
 * @throws Error when the id is not fit for it; ids of CloudTrail events are.
 */
export function sourceIdentity(requestId: string): string {
  if (!SOURCE_IDENTITY.test(requestId)) {
    throw new Error("the request's id is no source identity: 2 to 64 letters, digits and _+=,.@- are");
  }
  return requestId;
}
