import { validateSafely } from '@gudang/graphql';
import {
  type ASTNode,
  type DocumentNode,
  type GraphQLError,
  type GraphQLInputType,
  type GraphQLSchema,
  getNamedType,
  isInputObjectType,
  isRequiredInputField,
  Kind,
  type ObjectValueNode,
  ProvidedRequiredArgumentsRule,
  ValuesOfCorrectTypeRule,
} from 'graphql';
import { type InputPlaces, printPath, printPlace } from './input-path.ts';

/** A value in the operation's text that does not fit its type. */
export interface InvalidLiteral {
  readonly path: string;
  readonly type: GraphQLInputType | undefined;
}

/**
 * Finds the invalid literals and missing arguments of an operation by the two rules of graphql-js that
 * report them. The paths come from the rule and the node of each error, never from its message, because
 * messages contain text that the client chose.
 * @returns the literal of an error that any validation of the same document has reported
 */
export function findInvalidLiterals(
  schema: GraphQLSchema,
  document: DocumentNode,
  places: InputPlaces,
): (error: GraphQLError) => InvalidLiteral | undefined {
  const found = new Map<string, InvalidLiteral>();
  const reported = new Map<ASTNode, number>();
  const add = (error: GraphQLError, find: LiteralFinder): void => {
    const node = error.nodes?.[0];
    if (!node) return;
    // A rule reports several missing arguments or fields of one node in the order of their definition.
    const nth = reported.get(node) ?? 0;
    reported.set(node, nth + 1);
    found.set(identity(error), find(node, nth, places));
  };
  const errorsOf = (rule: typeof ValuesOfCorrectTypeRule) =>
    validateSafely(schema, document, [rule]);
  for (const error of errorsOf(ProvidedRequiredArgumentsRule)) add(error, missingArgument);
  for (const error of errorsOf(ValuesOfCorrectTypeRule)) add(error, invalidValue);
  return (error) => found.get(identity(error));
}

type LiteralFinder = (node: ASTNode, nth: number, places: InputPlaces) => InvalidLiteral;

const missingArgument: LiteralFinder = (node, nth, { missing }) => {
  const argument = missing.get(node)?.[nth];
  return { path: printPath('', argument ? [argument.name] : []), type: argument?.type };
};

const invalidValue: LiteralFinder = (node, nth, { ofNode }) => {
  const place = ofNode.get(node);
  const path = place ? printPlace(place) : '';
  const field = node.kind === Kind.OBJECT ? missingFields(node, place?.type)[nth] : undefined;
  return field
    ? { path: printPath(path, [field.name]), type: field.type }
    : { path, type: place?.type };
};

function missingFields({ fields }: ObjectValueNode, type: GraphQLInputType | undefined) {
  const named = getNamedType(type);
  if (!isInputObjectType(named)) return [];
  const given = new Set(fields.map(({ name }) => name.value));
  return Object.values(named.getFields()).filter(
    (field) => isRequiredInputField(field) && !given.has(field.name),
  );
}

/**
 * Returns a key that consists of an error's position and message. The error objects themselves
 * cannot be compared, because each validation creates new ones.
 */
function identity(error: GraphQLError): string {
  return `${error.nodes?.[0]?.loc?.start}:${error.message}`;
}
