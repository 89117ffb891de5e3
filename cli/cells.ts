import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import * as z from "zod";
import { activationTableName } from "../components/activation/names";
import { evidenceTableName } from "../components/breakGlassAccount/evidenceTable";
import { normalizeCell } from "../components/regional/cell";
import type { EvidenceSide } from "../functions/breakGlass/records/bothCells";
import { DynamoDbEvidenceStore } from "../functions/breakGlass/records/dynamoDbEvidenceStore";
import type { Side } from "../functions/shared/activation/check";
import { DynamoDbActivationStore } from "../functions/shared/activation/dynamoDbActivationStore";
import { CliError, EXIT_CODES } from "./exitCodes";
import { stackValues } from "./stackConfig";

/**
 * The two cells as the stacks' files name them. Only files of the checkout are read, neither Pulumi's state nor AWS: on the day, either
 * may be out of reach.
 */
export interface CellPair {
  own: CellAddress;
  peer: CellAddress;
}

/** A cell's name, region and naming. */
export interface CellAddress {
  name: string;
  region: string;
  namePrefix: string;
}

const valuesSchema = z.object({
  region: z.string(),
  peerName: z.string(),
  peerRegion: z.string(),
  namePrefix: z.string(),
});

/**
 * Finds a cell and its peer by the stack's name.
 * @param folder the folder of Pulumi.yaml
 * @throws CliError when there is no such stack's file, or it lacks a value
 */
export function readCells(folder: string, stack: string): CellPair {
  const values = stackValues(folder, stack);
  const parsed = valuesSchema.safeParse(values);
  if (!parsed.success) {
    const keys = parsed.error.issues.map((issue) => `bulkhead:${issue.path.join(".")}`).join(", ");
    throw new CliError(EXIT_CODES.usage, `Pulumi.${stack}.yaml in ${folder} lacks ${keys}.`);
  }
  const { region, peerName, peerRegion, namePrefix } = parsed.data;
  return {
    own: { name: stack, region, namePrefix },
    peer: { name: peerName, region: peerRegion, namePrefix },
  };
}

/** Where a cell's activation record is, for reading and writing. */
export function activationSide({ name, region, namePrefix }: CellAddress): Side {
  // The account takes no part in the table's name.
  const cell = normalizeCell({ name, region, namePrefix, accountId: "000000000000" });
  return {
    cell: name,
    region,
    store: new DynamoDbActivationStore({
      client: new DynamoDBClient({ region, maxAttempts: 2 }),
      tableName: activationTableName(cell),
      region,
    }),
  };
}

/** Where a cell's evidence about emergency access is. */
export function evidenceSide({ name, region, namePrefix }: CellAddress): EvidenceSide {
  // The account takes no part in the table's name.
  const cell = normalizeCell({ name, region, namePrefix, accountId: "000000000000" });
  return {
    cell: name,
    region,
    store: new DynamoDbEvidenceStore({
      client: new DynamoDBClient({ region, maxAttempts: 2 }),
      tableName: evidenceTableName(cell),
      region,
    }),
  };
}

/** ARN of whoever runs the command, asked of the region's own STS endpoint. */
export async function callerArn(region: string): Promise<string> {
  const client = new STSClient({ region, maxAttempts: 2 });
  try {
    const { Arn } = await client.send(new GetCallerIdentityCommand(), {
      abortSignal: AbortSignal.timeout(5000),
    });
    if (!Arn) throw new Error("no ARN in the answer");
    return Arn;
  } catch (error) {
    throw new CliError(
      EXIT_CODES.environment,
      `STS in ${region} does not say who you are: ${error instanceof Error ? error.message : error}. Are there credentials in the environment?`,
      { cause: error },
    );
  } finally {
    client.destroy();
  }
}
