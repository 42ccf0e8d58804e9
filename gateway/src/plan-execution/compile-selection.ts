import {
  type CompositeType,
  type FieldDefinition,
  isCompositeType,
  isListType,
  isNonNullType,
  isSubtype,
  isValidLeafValue,
  type NamedType,
  type Operation,
  type OutputType,
  type Schema,
  type SelectionSet,
  Variable,
} from '@apollo/federation-internals';
import type { ReplacedNames } from './replaced-names.ts';

/** Shape that a field's value must have. */
export type Shape =
  | { readonly kind: 'nonNull'; readonly of: Shape; readonly ofType: OutputType }
  | { readonly kind: 'list'; readonly of: Shape; readonly type: OutputType }
  | { readonly kind: 'composite'; readonly type: CompositeType }
  | {
      readonly kind: 'leaf';
      readonly type: OutputType;
      readonly isValid: (value: unknown) => boolean;
    };

/** `@skip` and `@include` of a selection. */
export interface Conditions {
  readonly skip: Condition | undefined;
  readonly include: Condition | undefined;
}
export interface Condition {
  /** Value of the condition: a variable or a literal. */
  readonly given: { readonly variable: string } | boolean;
  /** The directive as printed in error messages. */
  readonly directive: { toString(): string };
}

/** A compiled selection. It contains everything that does not depend on data. */
export type Step =
  | {
      readonly kind: 'field';
      /** Response name in the result. */
      readonly name: string;
      /** Response name in the plan and in the subgraphs' data. */
      readonly source: string;
      readonly conditions: Conditions | undefined;
      readonly shape: Shape;
      /**
       * Whether a value is valid without conversion. The test exists only for fields that are not
       * lists and have no selections.
       */
      readonly isLeaf: ((value: unknown) => boolean) | undefined;
      readonly selection: readonly Step[] | undefined;
    }
  | {
      readonly kind: 'typename';
      readonly name: string;
      readonly source: string;
      readonly conditions: Conditions | undefined;
    }
  | {
      readonly kind: 'fragment';
      readonly conditions: Conditions | undefined;
      /** The fragment's type; undefined if the type around it is as narrow. Data may have no `__typename`. */
      readonly type: CompositeType | undefined;
      /**
       * Whether the fragment applies to objects of a type. `type` is undefined if the object's type
       * is unknown.
       */
      readonly isFor: (type: NamedType | undefined) => boolean;
      /** Label of a deferred fragment. */
      readonly label: string | undefined;
      readonly selection: readonly Step[];
    };

const NONE: ReplacedNames['responses'] = new Map();

class IntrospectionError extends Error {}

/**
 * Compiles an operation's selections. Returns undefined for introspection, which is not supported.
 */
export function compileSelection(
  operation: Operation,
  replaced?: Pick<ReplacedNames, 'responses'>,
): readonly Step[] | undefined {
  try {
    const { selectionSet } = operation;
    const responses = replaced?.responses ?? NONE;
    return compile(selectionSet, operation.schema(), responses, selectionSet.parentType);
  } catch (error) {
    if (error instanceof IntrospectionError) return undefined;
    throw error;
  }
}

/** Returns the part of a compiled selection that selects root fields with the given names in the plan. */
export function selectFields(steps: readonly Step[], names: ReadonlySet<string>): readonly Step[] {
  return steps.flatMap((step): Step[] => {
    if (step.kind !== 'fragment') return names.has(step.source) ? [step] : [];
    return [{ ...step, selection: selectFields(step.selection, names) }];
  });
}

function compile(
  selectionSet: SelectionSet,
  schema: Schema,
  responses: ReplacedNames['responses'],
  parent: CompositeType,
): readonly Step[] {
  return selectionSet.selections().map((selection): Step => {
    const conditions = conditionsOf(selection.element, schema);
    if (selection.kind === 'FragmentSelection') {
      const condition = selection.element.typeCondition;
      const type = condition && !isSubtype(condition, parent) ? condition : undefined;
      return {
        kind: 'fragment',
        conditions,
        type,
        isFor: condition ? createSubtypeTest(condition) : () => true,
        label: labelOf(selection.element, schema),
        selection: compile(selection.selectionSet, schema, responses, type ?? parent),
      };
    }
    const field = selection.element;
    const definition = field.definition as FieldDefinition<CompositeType>;
    const source = field.responseName();
    const name = responses.get(source) ?? source;
    if (definition.isSchemaIntrospectionField()) throw new IntrospectionError(name);
    if (field.name === '__typename') return { kind: 'typename', name, source, conditions };
    const shape = shapeOf(definition.type as OutputType, schema);
    const nullable = shape.kind === 'nonNull' ? shape.of : shape;
    return {
      kind: 'field',
      name,
      source,
      conditions,
      shape,
      isLeaf: nullable.kind === 'leaf' ? nullable.isValid : undefined,
      selection:
        selection.selectionSet &&
        compile(selection.selectionSet, schema, responses, selection.selectionSet.parentType),
    };
  });
}

function labelOf(element: Element, schema: Schema): string | undefined {
  const [defer] = element.appliedDirectivesOf(schema.deferDirective());
  return defer?.arguments().label;
}

function createSubtypeTest(condition: CompositeType): (type: NamedType | undefined) => boolean {
  const known = new Map<NamedType, boolean>();
  return (type) => {
    if (!type) return false;
    let is = known.get(type);
    if (is === undefined) {
      is = isSubtype(condition, type);
      known.set(type, is);
    }
    return is;
  };
}

/** `@skip` or `@include`. */
interface ConditionDirective {
  arguments(): { readonly if: boolean | Variable };
  toString(): string;
}

type Element = ReturnType<SelectionSet['selections']>[number]['element'];

function conditionsOf(element: Element, schema: Schema): Conditions | undefined {
  const [skip] = element.appliedDirectivesOf(schema.skipDirective());
  const [include] = element.appliedDirectivesOf(schema.includeDirective());
  if (!skip && !include) return undefined;
  return { skip: conditionOf(skip), include: conditionOf(include) };
}

function conditionOf(directive: ConditionDirective | undefined): Condition | undefined {
  if (!directive) return undefined;
  const given = directive.arguments().if;
  return {
    given: given instanceof Variable ? { variable: given.name } : given,
    directive,
  };
}

function shapeOf(type: OutputType, schema: Schema): Shape {
  if (isNonNullType(type)) {
    const ofType = type.ofType as OutputType;
    return { kind: 'nonNull', of: shapeOf(ofType, schema), ofType };
  }
  if (isListType(type)) {
    return { kind: 'list', of: shapeOf(type.ofType as OutputType, schema), type };
  }
  if (isCompositeType(type)) return { kind: 'composite', type };
  return { kind: 'leaf', type, isValid: leafTest(type, schema) };
}

/**
 * Returns the same test as `isValidLeafValue` of federation-internals, with a shortcut for the most
 * frequent types.
 */
function leafTest(type: OutputType, schema: Schema): (value: unknown) => boolean {
  const tested = type as Parameters<typeof isValidLeafValue>[2];
  const anyText = type === schema.stringType() || type === schema.idType();
  const anyInteger = type === schema.intType() || type === schema.idType();
  return (value) =>
    (anyText && typeof value === 'string') ||
    (anyInteger && Number.isSafeInteger(value)) ||
    isValidLeafValue(schema, value, tested);
}
