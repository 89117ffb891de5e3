/** Property bags between gRPC's Struct messages and plain values. */
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { type Props, SIGNATURE, SIGNATURE_SECRET } from "./types";

/** Takes secrets out of their wrapping, at any depth: the engine wraps some even for providers that do not want it. */
export function unwrapSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unwrapSecrets);
  if (typeof value !== "object" || value === null) return value;
  const props = value as Props;
  if (props[SIGNATURE] === SIGNATURE_SECRET) return unwrapSecrets(props.value);
  return Object.fromEntries(Object.entries(props).map(([key, part]) => [key, unwrapSecrets(part)]));
}

/** The plain values of a message; nothing is as good as an empty one. */
export function fromStruct(struct: Struct | undefined): Props {
  return struct ? (unwrapSecrets(struct.toJavaScript()) as Props) : {};
}

/** A message of the values. Those named in `secrets` are wrapped, so that the engine keeps them encrypted. */
export function toStruct(props: Props, secrets: readonly string[] = []): Struct {
  const wrapped: Props = {};
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined) continue;
    wrapped[key] = secrets.includes(key) ? { [SIGNATURE]: SIGNATURE_SECRET, value } : value;
  }
  // Struct refuses undefined, which JSON drops.
  return Struct.fromJavaScript(JSON.parse(JSON.stringify(wrapped)));
}
