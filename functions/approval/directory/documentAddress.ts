/** Where a document that a team writes can be: an object of S3, or a parameter of SSM. */
export const DOCUMENT_ADDRESS =
  /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\/.{1,1024}$|^ssm:\/[\w./-]{1,1010}$/;
