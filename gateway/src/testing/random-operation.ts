import {
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
} from 'graphql';
import type { Random } from './random.ts';

/** Aliases; some of them are also names of members of `Object.prototype`. */
const ALIASES = ['a', 'b', 'constructor', '__proto__', 'toString'];
const DEPTH = 4;

const VARIABLES =
  '($yes: Boolean!, $no: Boolean!, $unsaid: Boolean! = true, $first: Int, $id: ID!)';

/** Generates a valid operation with fragments, aliases, `@include` and `@skip`. */
export function randomOperation(schema: GraphQLSchema, random: Random): string {
  const kind = random.chance(0.15) ? 'mutation' : 'query';
  const root = kind === 'query' ? schema.getQueryType() : schema.getMutationType();
  const { fragments, selection } = createGenerator(schema, random);
  const body = root ? selection(root, DEPTH) : '{ __typename }';
  return declare(kind, body, fragments);
}

/** Generates a valid subscription of one root field, with fragments and aliases also at the root. */
export function randomSubscription(
  schema: GraphQLSchema,
  rootField: string,
  random: Random,
): string {
  const field = schema.getSubscriptionType()?.getFields()[rootField];
  const type = field && getNamedType(field.type);
  if (!isCompositeType(type)) throw new Error(`${rootField} has no fields to select`);
  const { fragments, selection } = createGenerator(schema, random);
  const alias = random.chance(0.3) ? `${random.pick(ALIASES)}: ` : '';
  let body = `{ ${alias}${rootField} ${selection(type, DEPTH)} }`;
  if (random.chance(0.3)) body = `{ ... on Subscription ${body} }`;
  if (random.chance(0.3)) {
    fragments.push(`fragment Root on Subscription ${body}`);
    body = '{ ...Root }';
  }
  return declare('subscription', body, fragments);
}

function createGenerator(schema: GraphQLSchema, random: Random) {
  const fragments: string[] = [];
  const condition = (): string => {
    if (!random.chance(0.12)) return '';
    const value = random.pick(['$yes', '$no', '$unsaid', 'true', 'false']);
    return ` @${random.pick(['include', 'skip'])}(if: ${value})`;
  };
  const argumentsOf = ({ args }: GraphQLField<unknown, unknown>): string => {
    const given = args.flatMap(({ name, type, defaultValue }) => {
      const required = String(type).endsWith('!') && defaultValue === undefined;
      if (!required && random.chance(0.5)) return [];
      if (name === 'first' || name === 'scale') return [`${name}: $first`];
      if (name === 'size') return ['size: L'];
      return [`${name}: ${name === 'id' ? '$id' : '"x"'}`];
    });
    return given.length > 0 ? `(${given.join(', ')})` : '';
  };
  const field = (one: GraphQLField<unknown, unknown>, depth: number): string => {
    const named = getNamedType(one.type);
    const inner = isCompositeType(named) ? ` ${selection(named, depth - 1)}` : '';
    // Each combination of field and arguments has its own alias, so that fields with the same
    // response name can be merged.
    const given = argumentsOf(one);
    const alias = random.chance(0.12) ? `${random.pick(ALIASES)}_${one.name}` : one.name;
    const plain = alias === one.name && given === '';
    const name = plain ? one.name : `${alias}${given === '' ? '' : given.length}: ${one.name}`;
    return `${name}${given}${condition()}${inner}`;
  };
  const selection = (type: GraphQLNamedType, depth: number): string => {
    const parts: string[] = [];
    if (random.chance(0.25)) parts.push(random.chance(0.5) ? '__typename' : 'kind: __typename');
    const fields =
      isObjectType(type) || isInterfaceType(type) ? Object.values(type.getFields()) : [];
    const usable = fields.filter((one) => depth > 0 || !isCompositeType(getNamedType(one.type)));
    const wanted = 1 + random.below(4);
    for (let count = 0; usable.length > 0 && count < wanted; count += 1) {
      parts.push(field(random.pick(usable), depth));
    }
    if (depth > 0 && (isAbstractType(type) || random.chance(0.15))) {
      const types = isAbstractType(type) ? schema.getPossibleTypes(type) : [type];
      for (let count = 0; count < 1 + random.below(2); count += 1) {
        const on = random.pick(types);
        if (!on) continue;
        const inner = selection(on, depth - 1);
        if (random.chance(0.3)) {
          const name = `F${fragments.length}`;
          fragments.push(`fragment ${name} on ${on.name} ${inner}`);
          parts.push(`...${name}${condition()}`);
        } else parts.push(`... on ${on.name}${condition()} ${inner}`);
      }
    }
    return `{ ${parts.length > 0 ? parts.join(' ') : '__typename'} }`;
  };
  return { fragments, selection };
}

/** Returns the text of an operation that declares only the variables that it uses. */
function declare(kind: string, body: string, fragments: readonly string[]): string {
  const used = VARIABLES.slice(1, -1)
    .split(', ')
    .filter((one) => {
      const [name = ''] = one.split(':');
      return [body, ...fragments].some((text) => text.includes(name));
    });
  const declared = used.length > 0 ? `(${used.join(', ')}) ` : '';
  return [`${kind} ${declared}${body}`, ...fragments].join('\n');
}
