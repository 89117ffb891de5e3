/** What every message of the stand-in provider begins with, so that nobody takes it for the genuine provider's. */
export const PREFIX = "stand-in aws provider";

/** The stand-in refuses something: it never ignores or pretends. */
export class StandInError extends Error {
  override readonly name: string = "StandInError";
  constructor(message: string, options?: ErrorOptions) {
    super(`${PREFIX}: ${message}`, options);
  }
}

/** The endpoint of a service did not answer, in every attempt. */
export class EndpointUnreachableError extends StandInError {
  override readonly name: string = "EndpointUnreachableError";
}

/** The `name` of an error (AWS SDK errors carry their code there), or "". */
export function errorName(error: unknown): string {
  return error instanceof Error ? error.name : "";
}

/** The message of whatever was thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** AWS's names for "there is no such thing", over all services in use. */
const GONE =
  /NotFound|NoSuchEntity|NoSuch(Bucket|Key|TagSet|LifecycleConfiguration|PublicAccessBlockConfiguration)|NonExistent|DoesNotExist|StackSetNotFound|StackInstanceNotFound|\.NotFound$|^(NotFoundException|QueueDoesNotExist|ParameterNotFound)$/;

/** Whether a call failed because the thing that it was about does not exist. */
export function isGone(error: unknown): boolean {
  return GONE.test(errorName(error));
}

/** AWS's names for "that name is taken", over all services in use. */
const EXISTS =
  /AlreadyExists|EntityAlreadyExists|ResourceConflict|ResourceInUse|Duplicate|NameAlreadyExists|BucketAlreadyOwnedByYou|ConditionalCheckFailed|^QueueNameExists/;

/** Whether a create call failed because there is such a thing already. */
export function isAlreadyThere(error: unknown): boolean {
  return EXISTS.test(errorName(error));
}
