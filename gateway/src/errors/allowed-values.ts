import {
  type GraphQLInputType,
  GraphQLNonNull,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
} from 'graphql';

const SCALARS: Readonly<Record<string, string>> = {
  Int: 'a whole number from -2,147,483,648 to 2,147,483,647',
  Float: 'a number',
  String: 'a text',
  Boolean: 'true or false',
  ID: 'a text or a whole number',
};

/** Describes the values that a type allows, such as `Int, a whole number from … to …`. */
export function allowedValues(type: GraphQLInputType): string {
  const description = describe(type);
  const required = type instanceof GraphQLNonNull ? ', not null' : '';
  return description ? `${type}, ${description}${required}` : `${type}${required}`;
}

function describe(type: GraphQLInputType): string {
  if (isNonNullType(type)) return describe(type.ofType);
  if (isListType(type)) return 'a list';
  if (isEnumType(type)) {
    return `one of ${type
      .getValues()
      .map(({ name }) => name)
      .join(', ')}`;
  }
  if (isInputObjectType(type)) {
    const fields = Object.values(type.getFields()).map((field) => `${field.name}: ${field.type}`);
    return `an object {${fields.join(', ')}}`;
  }
  return SCALARS[type.name] ?? '';
}
