/**
 * Runs calls under one deadline, so that a region that hangs does not hang the caller.
 *
 * @param milliseconds how long the calls may take in all, retries and credentials included
 * @param call makes the calls with the signal, which is aborted when the time is over
 * @param late makes the error that is thrown then
 */
export async function withDeadline<T>(
  milliseconds: number,
  call: (signal: AbortSignal) => Promise<T>,
  late: () => Error,
): Promise<T> {
  const abort = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  // The signal alone is not enough: it does not reach a client that still waits for its credentials.
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(late());
      abort.abort();
    }, milliseconds);
  });
  try {
    return await Promise.race([call(abort.signal), deadline]);
  } finally {
    clearTimeout(timer);
  }
}
