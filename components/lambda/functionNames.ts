import {
  type Cell,
  type CellArgs,
  cellArn,
  cellIamArn,
  cellScopedName,
  normalizeCell,
  regionalName,
} from "../regional/cell";

/** The physical names and ARNs of a function of a cell; all known before anything exists. */
export interface FunctionNames {
  /** Name of the function, such as `bulkhead-breakglass-steward`. Equal in every cell. */
  readonly functionName: string;
  readonly functionArn: string;
  /** Name of the log group. */
  readonly logGroupName: string;
  /** Name of the role, such as `bulkhead-breakglass-steward-prod`: unique in the account, since IAM has no regions. */
  readonly roleName: string;
  /** Path of the role, such as `/bulkhead/`. */
  readonly rolePath: string;
  readonly roleArn: string;
  /** Name of the dead-letter queue. */
  readonly deadLetterQueueName: string;
}

/**
 * The names of a cell's function.
 * @param name the function's own name, such as `breakglass-steward`
 * @throws Error when the name is malformed or makes a role or function name longer than IAM and Lambda allow (64).
 */
export function functionNames(cell: Cell, name: string): FunctionNames {
  const functionName = regionalName(cell, name);
  const roleName = cellScopedName(cell, name);
  if (!/^[a-z][a-z0-9-]*$/.test(name)) {
    throw new Error(
      `functionName is "${name}": a lower-case letter, then lower-case letters, digits and hyphens`,
    );
  }
  if (roleName.length > 64) {
    throw new Error(
      `functionName is "${name}": the role's name ${roleName} has ${roleName.length} characters, 64 are allowed`,
    );
  }
  const rolePath = `/${cell.namePrefix}/`;
  return {
    functionName,
    functionArn: cellArn(cell, "lambda", `function:${functionName}`),
    logGroupName: `/aws/lambda/${functionName}`,
    roleName,
    rolePath,
    roleArn: cellIamArn(cell, `role${rolePath}${roleName}`),
    deadLetterQueueName: `${functionName}-dead-letters`,
  };
}

/**
 * ARN of a function's role: the same for every deployment, so that other stacks and accounts can name it in trust policies although the
 * cell that owns it may not exist yet or may be dead.
 *
 * @param name the function's own name, as in {@link RegionalFunctionArgs.functionName}
 * @example functionRoleArn({ name: "dr", region: "us-west-2", accountId: "222222222222" }, "breakglass-steward")
 */
export function functionRoleArn(cell: CellArgs, name: string): string {
  return functionNames(normalizeCell(cell), name).roleArn;
}
