import type { FastifySchemaValidationError } from 'fastify/types/schema.js';

type Violation = FastifySchemaValidationError;

/** Where a value that a schema refused was sent, in a client's words. */
const PLACES: Readonly<Record<string, string>> = {
  body: 'in the body',
  querystring: 'in the query',
  params: 'in the path',
  headers: 'in the headers',
};

/** One sentence on what a schema refused: which member, where, and what is expected of it. */
export function describeViolations(violations: readonly Violation[], context = 'body'): string {
  const place = PLACES[context] ?? `in the ${context}`;
  const missing = violations.find((each) => each.keyword === 'required');
  if (missing) return listed(missing, 'requiredProperties', `missing ${place}`);
  const unexpected = violations.find((each) => each.keyword === 'additionalProperties');
  if (unexpected) return listed(unexpected, 'additionalProperties', `not expected ${place}`);
  const first = violations[0]!;
  const member = pathOf(first);
  const subject = member ? `"${member}" ${place}` : `What is sent ${place}`;
  const alternatives = violations.filter(
    (each) => each.instancePath === first.instancePath && each.keyword !== 'anyOf',
  );
  return `${subject} must ${[...new Set(alternatives.map(expectation))].join(' or ')}.`;
}

function pathOf(violation: Violation): string {
  return violation.instancePath.slice(1).replaceAll('/', '.');
}

function listed(violation: Violation, parameter: string, what: string): string {
  const path = pathOf(violation);
  const names = (violation.params[parameter] as string[]).map((name) => `"${path ? `${path}.` : ''}${name}"`);
  return `${names.join(', ')} ${names.length > 1 ? 'are' : 'is'} ${what}.`;
}

function expectation({ keyword, params, message = 'must be valid' }: Violation): string {
  if (keyword === 'const') return `be ${JSON.stringify(params.allowedValue)}`;
  if (keyword === 'enum') return `be one of ${(params.allowedValues as unknown[]).join(', ')}`;
  if (keyword === 'type') return `be ${params.type === 'object' ? 'a JSON object' : `of type ${params.type}`}`;
  if (keyword === 'minimum') return `be at least ${params.limit}`;
  if (keyword === 'maximum') return `be at most ${params.limit}`;
  return message.replace(/^must /i, '').replace('NOT', 'not');
}
