/** Documents that a team writes and functions read: the directory, templates of messages. In S3, or in a parameter while they are small. */
import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { GetParameterCommand, type SSMClient } from "@aws-sdk/client-ssm";
import { BulkheadError } from "../../shared/errors/bulkheadError";

/** A document somewhere. */
export interface DocumentSource {
  /**
   * Its text as it is now.
   * @throws BulkheadError `document-unreadable`
   */
  read(): Promise<string>;
}

/** Longest document that is read, in bytes. */
const MAX_BYTES = 8 * 1024 * 1024;

/** What {@link documentSource} reads with; each of the function's own region. */
export interface DocumentClients {
  readonly s3: Pick<S3Client, "send">;
  readonly ssm: Pick<SSMClient, "send">;
}

/**
 * The document at an address: `s3://BUCKET/KEY`, or `ssm:/NAME` for a parameter (at most 8 KB, as AWS has it).
 * @throws BulkheadError `document-address`
 */
export function documentSource(address: string, { s3, ssm }: DocumentClients): DocumentSource {
  const object = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/(.{1,1024})$/.exec(address);
  if (object) {
    return source(address, async () => {
      const { Body, ContentLength = 0 } = await s3.send(
        new GetObjectCommand({ Bucket: object[1], Key: object[2] }),
      );
      if (ContentLength > MAX_BYTES) throw new Error("too long");
      return Body?.transformToString("utf-8");
    });
  }
  const parameter = /^ssm:(\/[\w./-]{1,1010})$/.exec(address);
  if (parameter) {
    return source(address, async () => {
      const answer = await ssm.send(new GetParameterCommand({ Name: parameter[1], WithDecryption: true }));
      return answer.Parameter?.Value;
    });
  }
  throw new BulkheadError("document-address", "a document's address is s3://BUCKET/KEY or ssm:/NAME");
}

function source(address: string, read: () => Promise<string | undefined>): DocumentSource {
  return {
    async read() {
      try {
        const text = await read();
        if (text === undefined) throw new Error("empty");
        return text;
      } catch (cause) {
        throw new BulkheadError(
          "document-unreadable",
          `the document ${address} cannot be read: it has to exist in the function's region, and the function's role has to be allowed to read it`,
          { cause },
        );
      }
    },
  };
}
