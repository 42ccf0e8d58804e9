import type { ObjectType } from '@apollo/federation-internals';
import { accessError, type Identity, isAuthorized, type Requirement } from '@gudang/auth';
import {
  GraphQLError,
  type GraphQLNamedType,
  getNamedType,
  isAbstractType,
  type OperationDefinitionNode,
  separateOperations,
  TypeInfo,
  typeFromAST,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import type { ParsedOperation } from '../limits/operation-parser.ts';
import { readRequiredCoordinates } from '../required-fields.ts';
import type { LoadedSupergraph } from '../supergraph.ts';

/** Requirement that a caller must meet to select a field or type. */
export interface FieldRequirement extends Requirement {
  /** Schema coordinate: `Mutation.addProduct`, or `Product` if the directive is on the type. */
  readonly coordinate: string;
}

/**
 * Returns an operation's requirements. The result is cached for as long as the operation's document
 * exists.
 */
export type RequirementsOf = (read: ParsedOperation) => readonly FieldRequirement[];

const NONE: readonly FieldRequirement[] = [];

/**
 * Collects the directives `@authenticated` and `@requiresScopes` of a supergraph. A field also has the
 * requirements of the fields that it requires (`@requires`). Fields that
 * `@skip` or `@include` may exclude also count, so that the decision does not depend on variables.
 */
export function createRequirements(
  supergraph: Pick<LoadedSupergraph, 'model' | 'schema' | 'supergraphSchema'>,
): RequirementsOf {
  const marked = collectMarks(supergraph);
  if (marked.size === 0) return () => NONE;
  const known = new WeakMap<OperationDefinitionNode, readonly FieldRequirement[]>();
  return (read) => {
    const found = known.get(read.operation) ?? findRequirements(read, supergraph, marked);
    known.set(read.operation, found);
    return found;
  };
}

/**
 * Returns the error with which the whole operation is rejected, or undefined if the caller may run
 * it. The code is UNAUTHENTICATED if the caller sent no token, and FORBIDDEN if scopes are missing.
 */
export function authorizationError(
  requirements: readonly FieldRequirement[],
  identity: Identity,
): GraphQLError | undefined {
  if (identity.unrestricted || requirements.length === 0) return undefined;
  const unmet = requirements.filter((one) => !isAuthorized(identity, one));
  const [first] = unmet;
  if (!first) return undefined;
  const originalError = accessError(identity, first, first.coordinate);
  const fields = [...new Set(unmet.map(({ coordinate }) => coordinate))];
  return new GraphQLError(originalError.message, {
    originalError,
    extensions: { ...originalError.extensions, fields },
  });
}

type Marks = ReadonlyMap<string, readonly FieldRequirement[]>;

function findRequirements(
  { document, operation }: ParsedOperation,
  { schema }: Pick<LoadedSupergraph, 'schema'>,
  marked: Marks,
): readonly FieldRequirement[] {
  const found = new Set<FieldRequirement>();
  const add = (coordinate: string): void => {
    for (const one of marked.get(coordinate) ?? []) found.add(one);
  };
  /** Returns the type and, for an interface or union, also its possible types. */
  const possibleTypes = (type: GraphQLNamedType): GraphQLNamedType[] =>
    isAbstractType(type) ? [type, ...schema.getPossibleTypes(type)] : [type];
  const info = new TypeInfo(schema);
  const own = separateOperations(document)[operation.name?.value ?? ''] ?? document;
  visit(
    own,
    visitWithTypeInfo(info, {
      Field: ({ name }) => {
        const parent = info.getParentType();
        for (const type of parent ? possibleTypes(parent) : []) {
          add(type.name);
          add(`${type.name}.${name.value}`);
        }
        const shown = info.getType();
        if (shown) add(getNamedType(shown).name);
      },
      InlineFragment: ({ typeCondition }) => {
        const type = typeCondition && typeFromAST(schema, typeCondition);
        if (type) add(type.name);
      },
    }),
  );
  return [...found];
}

interface Marked {
  readonly appliedDirectives: readonly {
    readonly name: string;
    arguments(): { scopes?: unknown };
  }[];
}

function collectMarks(supergraph: Pick<LoadedSupergraph, 'model' | 'supergraphSchema'>): Marks {
  const { model } = supergraph;
  const nameOf = (directive: string): string | undefined =>
    model.schema.coreFeatures
      ?.getByIdentity(`https://specs.apollo.dev/${directive}`)
      ?.directiveNameInSchema(directive);
  const authenticated = nameOf('authenticated');
  const requiresScopes = nameOf('requiresScopes');
  const marks = new Map<string, readonly FieldRequirement[]>();
  if (authenticated === undefined && requiresScopes === undefined) return marks;

  const read = (coordinate: string, { appliedDirectives }: Marked): void => {
    const asked = appliedDirectives.flatMap((one): FieldRequirement[] => {
      if (one.name === authenticated) return [{ coordinate }];
      if (one.name !== requiresScopes) return [];
      return [{ coordinate, anyOf: one.arguments().scopes as readonly (readonly string[])[] }];
    });
    if (asked.length > 0) marks.set(coordinate, asked);
  };
  for (const type of model.schema.types()) {
    read(type.name, type);
    if (type.kind !== 'ObjectType' && type.kind !== 'InterfaceType') continue;
    for (const field of (type as ObjectType).fields()) read(field.coordinate, field);
  }
  const declared = new Map(marks);
  for (const [coordinate, required] of readRequiredCoordinates(supergraph)) {
    const inherited = [...required].flatMap((one) => declared.get(one) ?? []);
    if (inherited.length === 0) continue;
    const own = declared.get(coordinate) ?? [];
    marks.set(coordinate, [...own, ...inherited.map((one) => ({ ...one, coordinate }))]);
  }
  return marks;
}
