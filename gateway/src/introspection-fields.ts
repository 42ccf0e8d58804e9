import {
  type InputType,
  ListType,
  NonNullType,
  type ObjectType,
  type OutputType,
  type Schema,
  type Type,
} from '@apollo/federation-internals';
import {
  type GraphQLType,
  introspectionTypes,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';

/**
 * Adds the fields and arguments of introspection that graphql-js has and Apollo's model of a schema lacks, such as
 * `__Type.isOneOf`. Without them, the planner throws at an introspection that graphql-js has found valid. gql.tada
 * sends such an introspection.
 */
export function addMissingIntrospectionFields(schema: Schema): void {
  const typeOf = (type: GraphQLType): Type => {
    if (isNonNullType(type)) return new NonNullType(typeOf(type.ofType) as never);
    if (isListType(type)) return new ListType(typeOf(type.ofType));
    return schema.type(type.name) as Type;
  };
  // Private in its declaration only; the library adds its own introspection fields by it.
  schema['runWithBuiltInModificationAllowed'](() => {
    for (const type of introspectionTypes.filter(isObjectType)) {
      const known = schema.type(type.name) as ObjectType;
      for (const { name, type: of, args } of Object.values(type.getFields())) {
        const field = known.field(name) ?? known.addField(name, typeOf(of) as OutputType);
        for (const argument of args.filter((one) => !field.argument(one.name))) {
          field.addArgument(
            argument.name,
            typeOf(argument.type) as InputType,
            argument.defaultValue,
          );
        }
      }
    }
  });
}
