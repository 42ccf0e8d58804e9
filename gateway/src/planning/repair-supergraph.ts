import { type ConstDirectiveNode, type DocumentNode, Kind, visit } from 'graphql';
import { type HiddenFields, hideArguments } from './hidden-fields.ts';

/**
 * Changes a supergraph so that Apollo's planner makes right plans for it. Clients never see the changed
 * one. Returns the given document if nothing has to be changed.
 */
export function repairSupergraph(supergraph: DocumentNode): RepairedSupergraph {
  return hideArguments(orderKeys(supergraph));
}

export interface RepairedSupergraph {
  readonly document: DocumentNode;
  /** The fields that the repaired supergraph has in addition. */
  readonly hidden: HiddenFields;
}

/**
 * Moves keys that a subgraph cannot resolve behind the others. For a field with `@requires`, the planner
 * sends the first key that the subgraph has, whether or not the subgraph resolves it.
 */
function orderKeys(supergraph: DocumentNode): DocumentNode {
  const enter = <T extends { readonly directives?: readonly ConstDirectiveNode[] | undefined }>(
    type: T,
  ): T | undefined => {
    const { directives = [] } = type;
    const last = directives.filter(isUnresolvable);
    if (last.length === 0) return undefined;
    return { ...type, directives: [...directives.filter((one) => !isUnresolvable(one)), ...last] };
  };
  return visit(supergraph, {
    ObjectTypeDefinition: { enter },
    InterfaceTypeDefinition: { enter },
  });
}

function isUnresolvable({ name, arguments: given = [] }: ConstDirectiveNode): boolean {
  if (name.value !== 'join__type') return false;
  return given.some(
    ({ name: { value: argument }, value }) =>
      argument === 'resolvable' && value.kind === Kind.BOOLEAN && !value.value,
  );
}
