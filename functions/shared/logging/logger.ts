import { Logger } from "@aws-lambda-powertools/logger";
import type { Environment } from "../environment";

/**
 * What functions log with: a short message and fields that were chosen one by one. Never an event, a token, a key or a password; errors only
 * by way of errorFields.
 */
export interface Log {
  info(message: string, fields: Record<string, unknown>): void;
  warn(message: string, fields: Record<string, unknown>): void;
  error(message: string, fields: Record<string, unknown>): void;
}

/** The function's log: JSON lines with the function's and the cell's name. */
export function createLog(environment: Environment = process.env): Log {
  const logger = new Logger({
    serviceName: environment.POWERTOOLS_SERVICE_NAME ?? "bulkhead",
    persistentKeys: { cell: environment.BULKHEAD_CELL },
  });
  return {
    info: (message, fields) => logger.info(message, fields),
    warn: (message, fields) => logger.warn(message, fields),
    error: (message, fields) => logger.error(message, fields),
  };
}
