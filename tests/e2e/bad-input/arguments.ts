import {
  type GraphQLInputType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';

/** A place where a client can put a value: an argument, or a field inside of one. */
export interface Argument {
  /** Such as `Mutation.createOrder(input.quantity)`. */
  readonly coordinate: string;
  /** Such as `Mutation.createOrder`. */
  readonly field: string;
  /** Such as `['input', 'quantity']`. */
  readonly path: readonly string[];
  readonly type: GraphQLInputType;
  /** The type of the whole argument, as a variable of it is declared. */
  readonly argumentType: GraphQLInputType;
}

/** Every argument of every field of a schema, and every field of the objects they take. */
export function argumentsOf(schema: GraphQLSchema): Argument[] {
  const types = Object.values(schema.getTypeMap()).filter(
    (type) => isObjectType(type) && !type.name.startsWith('__'),
  );
  return types.flatMap((type) =>
    isObjectType(type)
      ? Object.values(type.getFields()).flatMap((field) =>
          field.args.flatMap((argument) =>
            inside(`${type.name}.${field.name}`, [argument.name], argument.type, argument.type),
          ),
        )
      : [],
  );
}

function inside(
  field: string,
  path: readonly string[],
  type: GraphQLInputType,
  argumentType: GraphQLInputType,
): Argument[] {
  const coordinate = `${field}(${path.join('.')})`;
  const named = getNamedType(type);
  const deeper = isInputObjectType(named)
    ? Object.values(named.getFields()).flatMap((one) =>
        inside(field, [...path, one.name], one.type, argumentType),
      )
    : [];
  return [{ coordinate, field, path, type, argumentType }, ...deeper];
}

export interface WrongValue {
  readonly name: string;
  readonly value: unknown;
  /** Behind the argument's path, such as `[1]` or `.colour`. */
  readonly at?: string;
  /** Says nothing as a literal, or as a variable. */
  readonly only?: 'literal' | 'variable';
}

/** A word of the query language that is no text, such as an enum's value. */
export class Word {
  readonly word: string;
  constructor(word: string) {
    this.word = word;
  }
}

/** Values that are not of the type. */
export function wrongValues(type: GraphQLInputType): WrongValue[] {
  const nullable = getNullableType(type);
  const missing: WrongValue[] = isNonNullType(type)
    ? [
        { name: 'missing', value: undefined },
        { name: 'null', value: null },
      ]
    : [];
  if (isListType(nullable)) {
    return [
      ...missing,
      { name: 'an object for a list', value: { a: 1 } },
      { name: 'null in a list', value: ['a', null], at: '[1]' },
      { name: 'a truth value in a list', value: [true], at: '[0]' },
      { name: 'a list in a list', value: ['a', ['b']], at: '[1]' },
    ];
  }
  if (isInputObjectType(nullable)) {
    return [
      ...missing,
      { name: 'a text for an object', value: 'text' },
      { name: 'a number for an object', value: 7 },
      { name: 'a list for an object', value: [1, 2] },
    ];
  }
  if (isEnumType(nullable)) {
    return [
      ...missing,
      { name: 'an unknown value', value: new Word('GREEN') },
      { name: 'another letter case', value: new Word('pending') },
      { name: 'a text for a value', value: 'PENDING', only: 'literal' },
      { name: 'a number', value: 1 },
      { name: 'a list', value: [new Word('A'), new Word('B')] },
    ];
  }
  const byName: Record<string, WrongValue[]> = {
    Int: [
      { name: 'a text', value: 'text' },
      { name: 'digits in a text', value: '7' },
      { name: 'a fraction', value: 1.5 },
      { name: 'past the largest Int', value: 2 ** 31 },
      { name: 'below the smallest Int', value: -(2 ** 31) - 1 },
      { name: 'far past any Int', value: 1e20 },
      { name: 'a truth value', value: true },
    ],
    String: [
      { name: 'a number', value: 7 },
      { name: 'a truth value', value: false },
    ],
    ID: [
      { name: 'a fraction', value: 1.5 },
      { name: 'a truth value', value: true },
    ],
  };
  const ofScalar = byName[(nullable as { name: string }).name];
  if (!ofScalar) throw new Error(`Say what is no ${type} in ${import.meta.url}`);
  return [
    ...missing,
    ...ofScalar,
    { name: 'an object', value: { a: 1 } },
    { name: 'a list', value: ['a', 'b'] },
  ];
}
