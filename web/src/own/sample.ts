/** A JSON schema, what is used of it. */
export interface Schema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly minimum?: number;
  readonly minLength?: number;
  readonly minItems?: number;
}

/** A value that fits the schema, as small as can be: where a pattern or a format is asked for, it may not. */
export function sampleOf(schema: Schema): unknown {
  const { type, properties = {}, required = [], items, minimum = 0, minLength = 0, minItems = 1 } = schema;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  if (schema.anyOf) return sampleOf(schema.anyOf[0]!);
  switch (type) {
    case 'object':
      return Object.fromEntries(required.map((name) => [name, sampleOf(properties[name] ?? {})]));
    case 'array':
      return Array.from({ length: minItems }, () => sampleOf(items ?? {}));
    case 'integer':
    case 'number':
      return Math.max(1, minimum);
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return 'text'.padEnd(minLength, 't');
  }
}
