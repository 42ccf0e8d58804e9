import {
  type ASTVisitor,
  GraphQLError,
  Kind,
  OperationTypeNode,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';

/**
 * Validation rules of `@defer` that graphql-js 16 does not have: not at the root of a mutation, not in a
 * subscription, and labels are strings that differ.
 */
export const deferRules: readonly ValidationRule[] = [places, labels];

/** `@defer` is not allowed at the root of a mutation, and in a subscription only with `if: false`. */
function places(context: ValidationContext): ASTVisitor {
  const subscriptions = new Set(
    context.getDocument().definitions.flatMap((one) => {
      if (one.kind !== Kind.OPERATION_DEFINITION) return [];
      if (one.operation !== OperationTypeNode.SUBSCRIPTION) return [];
      const inside = context.getRecursivelyReferencedFragments(one).map(({ name }) => name.value);
      return [one, ...inside];
    }),
  );
  return {
    Directive: (node, _key, _parent, _path, ancestors) => {
      if (node.name.value !== 'defer') return;
      const condition = node.arguments?.find(({ name }) => name.value === 'if')?.value;
      if (condition?.kind === Kind.BOOLEAN && !condition.value) return;
      if (context.getParentType() === context.getSchema().getMutationType()) {
        context.reportError(
          new GraphQLError('@defer is not allowed at the root of a mutation', { nodes: node }),
        );
      }
      const definition = ancestors.find(
        (one) =>
          'kind' in one &&
          (one.kind === Kind.OPERATION_DEFINITION || one.kind === Kind.FRAGMENT_DEFINITION),
      );
      const isInSubscription =
        definition !== undefined &&
        'kind' in definition &&
        (subscriptions.has(definition as never) ||
          (definition.kind === Kind.FRAGMENT_DEFINITION &&
            subscriptions.has(definition.name.value)));
      if (isInSubscription) {
        context.reportError(
          new GraphQLError(
            '@defer is not supported in subscriptions: remove it, or set its argument "if" to false',
            { nodes: node },
          ),
        );
      }
    },
  };
}

/** The label of each `@defer` is a string that no other `@defer` of the document has. */
function labels(context: ValidationContext): ASTVisitor {
  const known = new Set<string>();
  return {
    Directive: (node) => {
      if (node.name.value !== 'defer') return;
      const label = node.arguments?.find(({ name }) => name.value === 'label')?.value;
      if (!label || label.kind === Kind.NULL) return;
      if (label.kind !== Kind.STRING) {
        context.reportError(
          new GraphQLError('The label of @defer must be a string, not a variable', { nodes: node }),
        );
      } else if (known.has(label.value)) {
        context.reportError(
          new GraphQLError(`Two @defer have the label "${label.value}"`, { nodes: node }),
        );
      } else known.add(label.value);
    },
  };
}
