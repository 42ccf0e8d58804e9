import { shorten } from '@gudang/graphql';
import type { DocumentNode, GraphQLError, GraphQLInputType, GraphQLSchema } from 'graphql';
import { allowedValues } from './allowed-values.ts';
import {
  type InputPlaces,
  inputPlaces,
  MAX_PATH_LENGTH,
  printPath,
  printPlace,
} from './input-path.ts';
import { findInvalidLiterals } from './invalid-literals.ts';
import { VariableError } from './invalid-variables.ts';

/** Extensions of an error about the value of an argument. */
export interface BadInput {
  readonly code: 'BAD_USER_INPUT';
  /** The argument's path, such as `input.quantity`. */
  readonly argument: string;
  /** Description of the allowed values. */
  readonly allowed?: string;
}

/**
 * Finds the errors about argument values (literals or variables), and the argument that each error
 * is about. Errors about unknown fields in a selection or unknown arguments are not included,
 * because they are errors of the operation, not of its input.
 */
export function findBadInput(
  errors: readonly GraphQLError[],
  document: DocumentNode,
  schema: GraphQLSchema,
): Map<GraphQLError, BadInput> {
  const found = new Map<GraphQLError, BadInput>();
  const places = inputPlaces(document, schema);
  const literalOf = findInvalidLiterals(schema, document, places);
  for (const error of errors) {
    if (error instanceof VariableError) {
      found.set(error, badInput(argumentsOf(error, places), error.type));
      continue;
    }
    const literal = literalOf(error);
    if (literal) found.set(error, badInput(literal.path, literal.type));
  }
  return found;
}

/** Returns the arguments that use the invalid part of a variable, such as `input.quantity, first`. */
function argumentsOf({ definition, valuePath }: VariableError, places: InputPlaces): string {
  const name = definition.variable.name.value;
  const starts = places.ofVariable.get(name)?.map(printPlace) ?? [name];
  return shorten(starts.map((start) => printPath(start, valuePath)).join(', '), MAX_PATH_LENGTH);
}

function badInput(argument: string, type: GraphQLInputType | undefined): BadInput {
  return {
    code: 'BAD_USER_INPUT',
    argument,
    ...(type ? { allowed: allowedValues(type) } : {}),
  };
}
