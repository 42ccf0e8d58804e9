import { validateSafely } from '@gudang/service';
import {
  type DocumentNode,
  type GraphQLError,
  type GraphQLInputType,
  type GraphQLSchema,
  isInputType,
  Kind,
  ProvidedRequiredArgumentsRule,
  parseType,
  typeFromAST,
  ValuesOfCorrectTypeRule,
  type VariableDefinitionNode,
} from 'graphql';
import { allowedValues } from './allowed.ts';
import { inputPlaces, typeAlong } from './input-path.ts';

/** What makes bad input of an error that graphql-js gives before an operation runs. */
export interface BadInput {
  readonly code: 'BAD_USER_INPUT';
  /** The argument's path, such as `input.quantity`. */
  readonly argument: string;
  /** What may stand there. */
  readonly allowed?: string;
}

const INPUT_RULES = [ValuesOfCorrectTypeRule, ProvidedRequiredArgumentsRule];
const MISSING_ARGUMENT = /argument "([^"]+)" of type "([^"]+)" is required/;
const MISSING_FIELD = /Field "(?:[^".]+\.)?([^"]+)" of required type/;
const UNKNOWN_FIELD = /Field "([^"]+)" is not defined by type/;
const VARIABLE = /^Variable "\$[^"]+" (?:got invalid value|of required type|of non-null type) /;
const AT = /^Variable "\$[^"]+" got invalid value [\s\S]* at "[^".[]+([^"]*)"; /;

/**
 * Which of the errors are about values of arguments, literal or by variable, and where they stand.
 * Unknown fields, unknown arguments and the like are not: the operation is wrong, not its input.
 */
export function findBadInput(
  errors: readonly GraphQLError[],
  document: DocumentNode,
  schema: GraphQLSchema,
): Map<GraphQLError, BadInput> {
  const found = new Map<GraphQLError, BadInput>();
  const places = inputPlaces(document, schema);
  const literals = new Set(validateSafely(schema, document, INPUT_RULES).map(identity));
  for (const error of errors) {
    const definition = error.nodes?.[0];
    const bad =
      definition?.kind === Kind.VARIABLE_DEFINITION && VARIABLE.test(error.message)
        ? ofVariable(error, definition, places, schema)
        : literals.has(identity(error)) && ofLiteral(error, places, schema);
    if (bad) found.set(error, bad);
  }
  return found;
}

type Places = ReturnType<typeof inputPlaces>;

/** Validation makes errors anew each time: the same message at the same place is the same error. */
function identity(error: GraphQLError): string {
  return `${error.nodes?.[0]?.loc?.start}:${error.message}`;
}

function badInput(argument: string, type: GraphQLInputType | undefined): BadInput {
  return {
    code: 'BAD_USER_INPUT',
    argument,
    ...(type ? { allowed: allowedValues(type) } : {}),
  };
}

function ofVariable(
  error: GraphQLError,
  definition: VariableDefinitionNode,
  places: Places,
  schema: GraphQLSchema,
): BadInput {
  const name = definition.variable.name.value;
  const declared = typeFromAST(schema, definition.type);
  const path = (AT.exec(error.message)?.[1] ?? '') + fieldAtFault(error.message);
  const used = places.ofVariable.get(name)?.map(({ argument }) => argument + path);
  return badInput(
    used?.join(', ') ?? name + path,
    declared && isInputType(declared) ? typeAlong(declared, path) : undefined,
  );
}

function ofLiteral(error: GraphQLError, places: Places, schema: GraphQLSchema): BadInput {
  const missing = MISSING_ARGUMENT.exec(error.message);
  if (missing) {
    const [, argument = '', type = ''] = missing;
    const expected = typeFromAST(schema, parseType(type));
    return badInput(argument, expected && isInputType(expected) ? expected : undefined);
  }
  const place = places.ofNode.get(error.nodes?.[0]);
  const path = UNKNOWN_FIELD.test(error.message) ? '' : fieldAtFault(error.message);
  return badInput((place?.argument ?? '') + path, place?.type && typeAlong(place.type, path));
}

/** The field that an error of a whole object is about: a missing one, or one too many. */
function fieldAtFault(message: string): string {
  const field = MISSING_FIELD.exec(message)?.[1] ?? UNKNOWN_FIELD.exec(message)?.[1];
  return field === undefined ? '' : `.${field}`;
}
