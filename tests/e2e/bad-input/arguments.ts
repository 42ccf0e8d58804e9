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

/** An argument, or an input field in an argument's input object. */
export interface Argument {
  /** For example `Mutation.createOrder(input.quantity)`. It does not tell that an argument is a list. */
  readonly coordinate: string;
  /** For example `Mutation.createOrder`. */
  readonly field: string;
  /**
   * Names of the argument and its nested input fields, for example `['input', 'quantity']`. In a list, the
   * path leads to the first item: `['inputs', 0, 'quantity']`.
   */
  readonly path: readonly (string | number)[];
  readonly type: GraphQLInputType;
  /** Type of the whole argument, which the declaration of its variable names. */
  readonly argumentType: GraphQLInputType;
}

/** Lists all arguments of all fields of a schema, including nested input fields. */
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
  path: Argument['path'],
  type: GraphQLInputType,
  argumentType: GraphQLInputType,
): Argument[] {
  const names = path.filter((step) => typeof step === 'string');
  const coordinate = `${field}(${names.join('.')})`;
  const named = getNamedType(type);
  const first = isListType(getNullableType(type)) ? [...path, 0] : path;
  const deeper = isInputObjectType(named)
    ? Object.values(named.getFields()).flatMap((one) =>
        inside(field, [...first, one.name], one.type, argumentType),
      )
    : [];
  return [{ coordinate, field, path, type, argumentType }, ...deeper];
}

export interface WrongValue {
  readonly name: string;
  readonly value: unknown;
  /** Suffix that the error adds to the argument's path, for example `[1]` or `.color`. */
  readonly at?: string;
  /** The only form in which the value is invalid. Absent if it is invalid in both forms. */
  readonly only?: 'literal' | 'variable';
}

/** A GraphQL name literal, such as an enum value. */
export class Word {
  readonly word: string;
  constructor(word: string) {
    this.word = word;
  }
}

/** Returns values that are not of the given type. */
export function wrongValues(type: GraphQLInputType): WrongValue[] {
  const nullable = getNullableType(type);
  const missing: WrongValue[] = isNonNullType(type)
    ? [
        { name: 'missing', value: undefined },
        { name: 'null', value: null },
      ]
    : [];
  if (isListType(nullable) && isInputObjectType(getNamedType(nullable))) {
    return [
      ...missing,
      { name: 'null in a list', value: [null], at: '[0]' },
      { name: 'a number in a list', value: [7], at: '[0]' },
      { name: 'a list in a list', value: [[1]], at: '[0]' },
    ];
  }
  if (isListType(nullable)) {
    return [
      ...missing,
      { name: 'an object for a list', value: { a: 1 } },
      { name: 'null in a list', value: ['a', null], at: '[1]' },
      { name: 'a boolean in a list', value: [true], at: '[0]' },
      { name: 'a list in a list', value: ['a', ['b']], at: '[1]' },
    ];
  }
  if (isInputObjectType(nullable)) {
    return [
      ...missing,
      { name: 'a string for an object', value: 'text' },
      { name: 'a number for an object', value: 7 },
      { name: 'a list for an object', value: [1, 2] },
    ];
  }
  if (isEnumType(nullable)) {
    return [
      ...missing,
      { name: 'an unknown enum value', value: new Word('GREEN') },
      { name: 'an enum value in lower case', value: new Word('pending') },
      { name: 'a string for an enum value', value: 'PENDING', only: 'literal' },
      { name: 'a number', value: 1 },
      { name: 'a list', value: [new Word('A'), new Word('B')] },
    ];
  }
  const byName: Record<string, WrongValue[]> = {
    Int: [
      { name: 'a text', value: 'text' },
      { name: 'digits in a string', value: '7' },
      { name: 'a fraction', value: 1.5 },
      { name: 'above the largest Int', value: 2 ** 31 },
      { name: 'below the smallest Int', value: -(2 ** 31) - 1 },
      { name: 'far above the largest Int', value: 1e20 },
      { name: 'a boolean', value: true },
    ],
    String: [
      { name: 'a number', value: 7 },
      { name: 'a boolean', value: false },
    ],
    DateTime: [
      { name: 'a number', value: 1_769_860_800_000 },
      { name: 'a boolean', value: true },
    ],
    Boolean: [
      { name: 'a number', value: 1 },
      { name: 'a text', value: 'true' },
    ],
    ID: [
      { name: 'a fraction', value: 1.5 },
      { name: 'a boolean', value: true },
    ],
  };
  const ofScalar = byName[(nullable as { name: string }).name];
  if (!ofScalar)
    throw new Error(`Add values that are not of the type ${type} to ${import.meta.url}`);
  return [
    ...missing,
    ...ofScalar,
    { name: 'an object', value: { a: 1 } },
    { name: 'a list', value: ['a', 'b'] },
  ];
}
