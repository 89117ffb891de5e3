import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { GetObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { failureKind } from "../engine/failure";
import { awsCall } from "./calls";

/** Texts in a bucket, by their keys. */
export interface Objects {
  /** undefined: there is no such object. */
  get(key: string): Promise<string | undefined>;
  put(key: string, content: string, contentType: string): Promise<void>;
  /** The content of a file of this machine. */
  putFile(key: string, file: string, contentType: string): Promise<void>;
}

/** A bucket of S3. */
export class S3Objects implements Objects {
  constructor(
    private readonly client: Pick<S3Client, "send">,
    private readonly bucket: string,
  ) {}

  async get(key: string): Promise<string | undefined> {
    try {
      return await awsCall("GetObject", async () => {
        const { Body } = await this.client.send(new GetObjectCommand({ Bucket: this.bucket, Key: key }));
        return (await Body?.transformToString("utf8")) ?? "";
      });
    } catch (error) {
      if (failureKind(error) === "missing") return undefined;
      throw error;
    }
  }

  async put(key: string, content: string, contentType: string): Promise<void> {
    await awsCall("PutObject", () =>
      this.client.send(
        new PutObjectCommand({ Bucket: this.bucket, Key: key, Body: content, ContentType: contentType }),
      ),
    );
  }

  async putFile(key: string, file: string, contentType: string): Promise<void> {
    const { size } = await stat(file);
    await awsCall("PutObject", () =>
      this.client.send(
        new PutObjectCommand({
          Bucket: this.bucket,
          Key: key,
          Body: createReadStream(file),
          ContentLength: size,
          ContentType: contentType,
        }),
      ),
    );
  }
}
