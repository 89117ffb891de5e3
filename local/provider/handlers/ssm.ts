/** Systems Manager. */
import type { Client } from "../context";
import { define, type Handler, someTags, syncTags, tagList, tagMap } from "../handler";
import { map, str } from "../schema";
import type { Props } from "../types";

async function putParameter(ssm: Client<"ssm">, inputs: Props, Overwrite: boolean): Promise<void> {
  await ssm.putParameter({
    Name: inputs.name,
    Type: inputs.type,
    Value: inputs.value ?? inputs.insecureValue,
    Description: inputs.description ?? (Overwrite ? "" : undefined),
    KeyId: inputs.keyId,
    AllowedPattern: inputs.allowedPattern,
    DataType: inputs.dataType,
    Tier: inputs.tier,
    Overwrite,
    // AWS takes tags only with a new parameter.
    Tags: Overwrite ? undefined : someTags(inputs.tags),
  });
}

const parameter = define("ssm", {
  type: "aws:ssm/parameter:Parameter",
  autoname: { property: "name", maxLength: 1011 },
  inputs: {
    name: str({ replaces: true }),
    type: str({ required: true, replaces: true, values: ["String", "StringList", "SecureString"] }),
    value: str(),
    insecureValue: str(),
    description: str(),
    keyId: str({ computed: true }),
    allowedPattern: str(),
    dataType: str({ computed: true, replaces: true }),
    tier: str({ computed: true, values: ["Standard", "Advanced", "Intelligent-Tiering"] }),
    tags: map(),
  },
  advice: { overwrite: "leave it out, and import a parameter that exists already", valueWo: "use value" },
  outputs: ["arn", "version"],
  volatile: { version: ["value", "insecureValue", "description", "keyId", "allowedPattern", "tier"] },
  secrets: ["value"],
  validate(inputs) {
    const isSecure = inputs.type === "SecureString";
    if ((inputs.value === undefined) === (inputs.insecureValue === undefined)) {
      return [{ property: "value", reason: "give either value or insecureValue" }];
    }
    if (!isSecure || inputs.insecureValue === undefined) return [];
    return [{ property: "insecureValue", reason: "is not for a SecureString: use value" }];
  },
  async create(ssm, inputs) {
    await putParameter(ssm, inputs, false);
    return inputs.name;
  },
  async read(ssm, id, known) {
    const { Parameter } = await ssm.getParameter({ Name: id, WithDecryption: true });
    const { Parameters } = await ssm.describeParameters({
      ParameterFilters: [{ Key: "Name", Option: "Equals", Values: [id] }],
    });
    const described = Parameters?.find((found) => found.Name === id);
    const { TagList } = await ssm.listTagsForResource({ ResourceType: "Parameter", ResourceId: id });
    const isInsecure = known.insecureValue !== undefined && known.value === undefined;
    return {
      name: id,
      type: Parameter!.Type,
      [isInsecure ? "insecureValue" : "value"]: Parameter!.Value,
      description: described?.Description,
      keyId: described?.KeyId,
      allowedPattern: described?.AllowedPattern,
      dataType: Parameter!.DataType,
      tier: described?.Tier,
      tags: tagMap(TagList),
      arn: Parameter!.ARN,
      version: Parameter!.Version,
    };
  },
  async update(ssm, id, inputs, olds, call) {
    if (call.changed("value", "insecureValue", "description", "keyId", "allowedPattern", "tier")) {
      await putParameter(ssm, inputs, true);
    }
    await syncTags(
      olds.tags,
      inputs.tags,
      (tags) => ssm.addTagsToResource({ ResourceType: "Parameter", ResourceId: id, Tags: tagList(tags) }),
      (TagKeys) => ssm.removeTagsFromResource({ ResourceType: "Parameter", ResourceId: id, TagKeys }),
    );
    return undefined;
  },
  async delete(ssm, id) {
    await ssm.deleteParameter({ Name: id });
  },
  identify: async (_ssm, inputs) => inputs.name,
});

export const ssmHandlers: readonly Handler[] = [parameter];
