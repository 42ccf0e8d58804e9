import { createHash } from 'node:crypto';
import type { Directive, ObjectType, Schema } from '@apollo/federation-internals';
import {
  type DocumentNode,
  type GraphQLNamedType,
  isAbstractType,
  isObjectType,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import type { PreparedPlan } from '../plan-execution/plan-executor.ts';
import type { LoadedSupergraph } from '../supergraph.ts';
import type { OverrideLabels } from './operation-planner.ts';

/**
 * Shares of executions for which the labels of `@override(label:)` are on, in percent, by label. A label
 * `percent(x)` has the share x; other labels that are not named are off.
 */
export type LabelShares = ReadonlyMap<string, number>;

/** Labels, most frequent first. Each one is on whenever a later one is. */
export interface OverrideVariants {
  /**
   * Returns the number of labels that are on.
   * @param draw at least 0 and less than 100; one draw decides about all labels
   */
  readonly variantAt: (draw: number) => number;
  /** Returns the state of each label. @param variant number of labels that are on */
  readonly labelsOf: (variant: number) => OverrideLabels;
}

/** Returns the variants of an operation's plan; undefined if its plan depends on no label. */
export type FindOverrides = (document: DocumentNode) => OverrideVariants | undefined;

const PERCENT = /^percent\(([\d.]+)\)$/;

/**
 * Reads the labels of a supergraph's progressive overrides. A field moves from one subgraph to another for
 * the share of executions that its label has.
 *
 * One draw decides about all labels of an execution, so an operation with n labels has n + 1 plans instead
 * of 2ⁿ, and fields with the same share move together.
 */
export function readOverrides(
  { model, schema }: Pick<LoadedSupergraph, 'model' | 'schema'>,
  shares: LabelShares = new Map(),
): FindOverrides {
  const { ofField, ofEvery } = readLabels(model.schema);
  if (ofField.size === 0) return () => undefined;
  const shareOf = (label: string): number =>
    shares.get(label) ?? Number(PERCENT.exec(label)?.[1] ?? 0);
  return (document) => {
    const found = new Set(ofEvery);
    const info = new TypeInfo(schema);
    const parentsOf = (type: GraphQLNamedType): readonly GraphQLNamedType[] =>
      isAbstractType(type) ? [type, ...schema.getPossibleTypes(type)] : withInterfaces(type);
    visit(
      document,
      visitWithTypeInfo(info, {
        Field: ({ name }) => {
          const parent = info.getParentType();
          for (const type of parent ? parentsOf(parent) : []) {
            for (const label of ofField.get(`${type.name}.${name.value}`) ?? []) found.add(label);
          }
        },
      }),
    );
    return found.size === 0 ? undefined : createVariants([...found], shareOf);
  };
}

/**
 * Prepares the plans of an operation whose fields move between subgraphs. Each execution draws which plan it
 * uses. A plan is made when it is first drawn.
 * @param prepare makes a plan
 * @param draw returns a number that is at least 0 and less than 100
 */
export function prepareVariants(
  { variantAt, labelsOf }: OverrideVariants,
  prepare: (labels: OverrideLabels) => PreparedPlan,
  draw: () => number = () => Math.random() * 100,
): PreparedPlan {
  const prepared: PreparedPlan[] = [];
  const find = (): PreparedPlan => {
    const variant = variantAt(draw());
    const plan = prepared[variant] ?? prepare(labelsOf(variant));
    prepared[variant] = plan;
    return plan;
  };
  find();
  return async (variables, fetch) => find()(variables, fetch);
}

/** Returns a number that is at least 0 and less than 100, and always the same for a text. */
export function drawFor(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE() / (2 ** 32 / 100);
}

/** Returns the names of all labels in a supergraph. */
export function findLabels({ model }: Pick<LoadedSupergraph, 'model'>): ReadonlySet<string> {
  return new Set([...readLabels(model.schema).ofField.values()].flat());
}

function withInterfaces(type: GraphQLNamedType): readonly GraphQLNamedType[] {
  return isObjectType(type) ? [type, ...type.getInterfaces()] : [type];
}

function createVariants(
  labels: readonly string[],
  shareOf: (label: string) => number,
): OverrideVariants {
  const sorted = labels
    .map((label) => ({ label, share: shareOf(label) }))
    .sort((one, other) => other.share - one.share || (one.label < other.label ? -1 : 1));
  return {
    variantAt: (draw) => sorted.filter(({ share }) => share > draw).length,
    labelsOf: (variant) => new Map(sorted.map(({ label }, index) => [label, index < variant])),
  };
}

interface Labels {
  /** Labels by the coordinates of their fields. */
  readonly ofField: ReadonlyMap<string, readonly string[]>;
  /** Labels of fields that keys and other field sets name: plans add such fields to any operation. */
  readonly ofEvery: ReadonlySet<string>;
}

function readLabels(schema: Schema): Labels {
  const ofField = new Map<string, string[]>();
  const required = new Set<string>();
  const require = (fieldSet: unknown): void => {
    for (const [name] of String(fieldSet ?? '').matchAll(/\w+/g)) required.add(name);
  };
  for (const type of schema.types()) {
    for (const one of argumentsOf(type, 'join__type')) require(one['key']);
    if (type.kind !== 'ObjectType' && type.kind !== 'InterfaceType') continue;
    for (const field of (type as ObjectType).fields()) {
      for (const one of argumentsOf(field, 'join__field')) {
        require(one['requires']);
        for (const { selection } of (one['contextArguments'] ?? []) as { selection: string }[]) {
          require(selection);
        }
        const label = one['overrideLabel'];
        if (typeof label !== 'string') continue;
        ofField.set(field.coordinate, [...(ofField.get(field.coordinate) ?? []), label]);
      }
    }
  }
  const ofEvery = [...ofField].flatMap(([coordinate, labels]) =>
    required.has(coordinate.slice(coordinate.indexOf('.') + 1)) ? labels : [],
  );
  return { ofField, ofEvery: new Set(ofEvery) };
}

function argumentsOf(
  element: { readonly appliedDirectives: readonly Directive[] },
  name: string,
): Record<string, unknown>[] {
  return element.appliedDirectives
    .filter((directive) => directive.name === name)
    .map((directive) => directive.arguments());
}
