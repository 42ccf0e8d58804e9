import type { ObjectType } from '@apollo/federation-internals';
import {
  type DocumentNode,
  getNamedType,
  isAbstractType,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { readRequiredCoordinates } from '../../required-fields.ts';
import type { LoadedSupergraph } from '../../supergraph.ts';

/**
 * Finds the private fields and types of a supergraph: those with `@cacheControl(scope: PRIVATE)`, and the
 * fields that require such fields. A supergraph contains this directive only if subgraphs list it in `@composeDirective`.
 * @returns a function that reports whether an operation selects a private field or a field of a
 * private type. If so, the operation's result depends on the caller.
 */
export function readPrivateFields({
  model,
  schema,
  supergraphSchema,
}: Pick<LoadedSupergraph, 'model' | 'schema' | 'supergraphSchema'>): (
  document: DocumentNode,
) => boolean {
  const marked = new Set<string>();
  for (const type of model.schema.types()) {
    if (isPrivate(type)) marked.add(type.name);
    if (type.kind !== 'ObjectType' && type.kind !== 'InterfaceType') continue;
    for (const field of (type as ObjectType).fields()) {
      if (isPrivate(field)) marked.add(field.coordinate);
    }
  }
  if (marked.size === 0) return () => false;
  for (const [field, required] of readRequiredCoordinates({ model, supergraphSchema })) {
    if ([...required].some((one) => marked.has(one))) marked.add(field);
  }

  const typesOf = (info: TypeInfo): string[] => {
    const parent = info.getParentType();
    if (!parent) return [];
    // A field can be public in an interface but private in a type that implements the interface, so
    // these types are checked too.
    const possible = isAbstractType(parent) ? schema.getPossibleTypes(parent) : [];
    return [parent, ...possible].map(({ name }) => name);
  };
  return (document) => {
    const info = new TypeInfo(schema);
    let found = false;
    const Field = ({ name }: { name: { value: string } }): void => {
      const shown = info.getType();
      found ||= shown ? marked.has(getNamedType(shown).name) : false;
      found ||= typesOf(info).some((type) => marked.has(`${type}.${name.value}`));
    };
    visit(document, visitWithTypeInfo(info, { Field }));
    return found;
  };
}

interface Marked {
  readonly appliedDirectives: readonly {
    readonly name: string;
    arguments(): { scope?: unknown };
  }[];
}

function isPrivate({ appliedDirectives }: Marked): boolean {
  return appliedDirectives.some(
    (directive) => directive.name === 'cacheControl' && directive.arguments().scope === 'PRIVATE',
  );
}
