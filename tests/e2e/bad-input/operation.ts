import type { GraphQLInputType } from 'graphql';
import { type Argument, Word } from './arguments.ts';

/** Parts of a valid operation with a field: the arguments of the field and its selection. */
export interface FieldUse {
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly select: string;
  /** Embeds the field in selections that lead to it from the root. Absent for root fields. */
  readonly around?: (call: string) => string;
}

export type Form = 'literal' | 'variable';

/** Builds an operation in which the value of one argument or input field is replaced. */
export function operationWith({
  field,
  use,
  path,
  argumentType,
  value,
  form,
}: {
  field: string;
  use: FieldUse;
  path: Argument['path'];
  argumentType: GraphQLInputType;
  value: unknown;
  form: Form;
}): { query: string; variables: Record<string, unknown> } {
  const [type = '', name = ''] = field.split('.');
  const [argument = ''] = path;
  const given = withValue(use.arguments, path, value) as Record<string, unknown>;
  const byVariable = form === 'variable';
  const list = Object.entries(given)
    .filter(([, one]) => one !== undefined)
    .map(([key, one]) => `${key}: ${byVariable && key === argument ? '$given' : literal(one)}`)
    // A variable without a value tests a missing argument, so the operation must still use the variable.
    .concat(byVariable && given[argument] === undefined ? [`${argument}: $given`] : []);
  const call = `${name}${list.length > 0 ? `(${list.join(', ')})` : ''} ${use.select}`;
  const keyword = { Mutation: 'mutation', Subscription: 'subscription' }[type] ?? 'query';
  const declared = byVariable ? `($given: ${argumentType})` : '';
  const body = use.around ? use.around(call) : call;
  return {
    query: `${keyword} ${declared} { ${body} }`,
    variables: byVariable && given[argument] !== undefined ? { given: plain(given[argument]) } : {},
  };
}

/** Returns a copy in which the value at a path is replaced, or removed if `value` is undefined. */
function withValue(within: unknown, [step, ...rest]: Argument['path'], value: unknown): unknown {
  if (step === undefined) return value;
  if (typeof step === 'number') {
    return (within as unknown[]).map((one, index) =>
      index === step ? withValue(one, rest, value) : one,
    );
  }
  const object = (within ?? {}) as Record<string, unknown>;
  return { ...object, [step]: withValue(object[step], rest, value) };
}

function literal(value: unknown): string {
  if (value instanceof Word) return value.word;
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (typeof value === 'number' && Math.abs(value) >= 1e20) return String(BigInt(value));
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).filter(([, one]) => one !== undefined);
  return `{${fields.map(([key, one]) => `${key}: ${literal(one)}`).join(', ')}}`;
}

function plain(value: unknown): unknown {
  if (value instanceof Word) return value.word;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
}

/**
 * Returns false for text with half a surrogate pair, which GraphQL forbids in a literal, and for lists of so
 * many objects that their tokens exceed the gateway's limit.
 */
export function canBeLiteral(value: unknown): boolean {
  if (Array.isArray(value)) return value.length < 100 || typeof value[0] !== 'object';
  return typeof value !== 'string' || value.isWellFormed();
}
