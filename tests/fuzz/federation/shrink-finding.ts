import {
  type ASTNode,
  type DocumentNode,
  Kind,
  type OperationTypeNode,
  parse,
  print,
  validate,
  visit,
} from 'graphql';
import { compareOutcomes } from './compare-outcomes.ts';
import { ComposedGraph, createData } from './composed-graph.ts';
import type { GeneratedOperation } from './generate-operation.ts';
import type { GraphData } from './graph-data.ts';
import { readFacts } from './graph-facts.ts';
import type { SubgraphSdl } from './print-subgraphs.ts';
import type { Finding } from './run-federation.ts';

/** Time for shrinking one finding, in milliseconds. */
const LIMIT_MS = 60_000;

/** Nodes of an AST that can be removed, largest first. */
const REMOVABLE: readonly (readonly string[])[] = [
  [Kind.OBJECT_TYPE_DEFINITION, Kind.INTERFACE_TYPE_DEFINITION, Kind.UNION_TYPE_DEFINITION],
  [Kind.FIELD_DEFINITION, Kind.INPUT_OBJECT_TYPE_DEFINITION, Kind.ENUM_TYPE_DEFINITION],
  [Kind.INPUT_VALUE_DEFINITION, Kind.DIRECTIVE],
];

/** Removes what a difference does not need from the operation and from the subgraphs. */
export async function shrinkFinding(finding: Finding): Promise<Finding> {
  const shrinking = new Shrinking(finding);
  await shrinking.shrinkOperation();
  await shrinking.shrinkSubgraphs();
  await shrinking.shrinkOperation();
  return shrinking.best;
}

class Shrinking {
  best: Finding;
  readonly #data: GraphData;
  readonly #until = performance.now() + LIMIT_MS;

  constructor(finding: Finding) {
    this.best = finding;
    this.#data = createData(finding.graph, documentsOf(finding.subgraphs));
  }

  async shrinkSubgraphs(): Promise<void> {
    for (const { name } of this.best.subgraphs) {
      await this.#accept(this.best.subgraphs.filter((one) => one.name !== name));
    }
    for (const name of namesIn(this.best.subgraphs)) {
      await this.#accept(withoutNamed(this.best.subgraphs, name));
    }
    for (const kinds of REMOVABLE) {
      for (const { name } of [...this.best.subgraphs]) await this.#shrinkSubgraph(name, kinds);
    }
  }

  async #shrinkSubgraph(name: string, kinds: readonly string[]): Promise<void> {
    for (let index = 0; ; ) {
      const subgraph = this.best.subgraphs.find((one) => one.name === name);
      const smaller = subgraph && removeNode(parse(subgraph.sdl), kinds, index);
      if (!smaller) return;
      const changed = this.best.subgraphs.map((one) =>
        one.name === name ? { name, sdl: print(withoutUnusedExternals(smaller)) } : one,
      );
      if (!(await this.#accept(changed))) index += 1;
    }
  }

  async shrinkOperation(): Promise<void> {
    const composed = this.#compose(this.best.subgraphs);
    if (!composed) return;
    for (let index = 0; ; ) {
      const smaller = simplify(this.best.operation.document, index);
      if (!smaller) return;
      const operation = operationOf(this.best.operation, smaller);
      const isSame = operation.text === this.best.operation.text;
      const accepted =
        !isSame && (await this.#acceptOperation(composed, this.best.subgraphs, operation));
      if (!accepted) index += 1;
    }
  }

  async #accept(subgraphs: readonly SubgraphSdl[]): Promise<boolean> {
    const composed = this.#compose(subgraphs);
    return (
      composed !== undefined && this.#acceptOperation(composed, subgraphs, this.best.operation)
    );
  }

  #compose(subgraphs: readonly SubgraphSdl[]): ComposedGraph | undefined {
    if (performance.now() > this.#until) return undefined;
    try {
      const composed = ComposedGraph.compose(this.best.graph, subgraphs, this.#data);
      return composed instanceof ComposedGraph ? composed : undefined;
    } catch {
      return undefined;
    }
  }

  async #acceptOperation(
    composed: ComposedGraph,
    subgraphs: readonly SubgraphSdl[],
    operation: GeneratedOperation,
  ): Promise<boolean> {
    if (performance.now() > this.#until) return false;
    try {
      const { schema } = composed;
      // graphql-js finds operations valid for whose kind the schema has no type.
      if (!schema.getRootType(operation.kind as OperationTypeNode)) return false;
      if (validate(schema, operation.document).length > 0) return false;
      const { required } = readFacts(documentsOf(subgraphs));
      const verdict = compareOutcomes(await composed.run(operation), required);
      if (verdict.is !== 'different') return false;
      const { difference } = verdict;
      if (difference.kind !== this.best.difference.kind) return false;
      this.best = { ...this.best, subgraphs, operation, difference };
      return true;
    } catch {
      // Without what was removed, the data or the schema has become invalid.
      return false;
    }
  }
}

function documentsOf(subgraphs: readonly SubgraphSdl[]) {
  return subgraphs.map(({ name, sdl }) => ({ name, document: parse(sdl) }));
}

/** The names of all types, and of all their fields as `Type.field`. */
function namesIn(subgraphs: readonly SubgraphSdl[]): Set<string> {
  const [types, fields] = [new Set<string>(), new Set<string>()];
  for (const { document } of documentsOf(subgraphs)) {
    for (const type of document.definitions) {
      if (!('name' in type) || !type.name) continue;
      types.add(type.name.value);
      if (!('fields' in type)) continue;
      for (const field of type.fields ?? []) fields.add(`${type.name.value}.${field.name.value}`);
    }
  }
  return new Set([...types, ...fields]);
}

/** Removes a type or a field from all subgraphs. */
function withoutNamed(subgraphs: readonly SubgraphSdl[], name: string): SubgraphSdl[] {
  const [typeName, fieldName] = name.split('.');
  return documentsOf(subgraphs).map(({ name, document }) => {
    const changed = visit(document, {
      enter: (node, key) => {
        if (!('name' in node) || node.name?.kind !== Kind.NAME) return undefined;
        if (node.kind === Kind.NAMED_TYPE) {
          return typeof key === 'number' && !fieldName && node.name.value === typeName
            ? null
            : undefined;
        }
        const isType = node.kind.endsWith('TypeDefinition');
        if (isType && node.name.value !== typeName) return undefined;
        if (isType && !fieldName) return null;
        return node.kind === Kind.FIELD_DEFINITION && node.name.value === fieldName
          ? null
          : undefined;
      },
    });
    return { name, sdl: print(withoutUnusedExternals(changed)) };
  });
}

/** Removes external fields that no directive names. Composition rejects them. */
function withoutUnusedExternals(document: DocumentNode): DocumentNode {
  const used = new Set<string>();
  visit(document, {
    Argument: ({ name, value }) => {
      if (name.value !== 'fields' || value.kind !== Kind.STRING) return;
      for (const [word] of value.value.matchAll(/\w+/g)) used.add(word);
    },
  });
  return visit(document, {
    FieldDefinition: ({ name, directives }) =>
      directives?.some((one) => one.name.value === 'external') && !used.has(name.value)
        ? null
        : undefined,
  });
}

/** Removes the node with the given number; undefined if there are fewer. */
function removeNode(
  document: DocumentNode,
  kinds: readonly string[],
  index: number,
): DocumentNode | undefined {
  let seen = 0;
  let removed = false;
  const smaller = visit(document, {
    enter: (node, key, _parent, path) => {
      if (path[1] === 0 || typeof key !== 'number' || !kinds.includes(node.kind)) return undefined;
      seen += 1;
      if (seen - 1 !== index) return undefined;
      removed = true;
      return null;
    },
  });
  return removed ? smaller : undefined;
}

/** Applies the simplification with the given number; undefined if there are fewer. */
function simplify(document: DocumentNode, index: number): DocumentNode | undefined {
  let left = index;
  let done = false;
  const isNext = (): boolean => {
    if (done) return false;
    done = left === 0;
    left -= 1;
    return done;
  };
  const smaller = visit(document, {
    enter: (node: ASTNode, key) => {
      if (done) return undefined;
      const isSelection =
        node.kind === Kind.FIELD ||
        node.kind === Kind.INLINE_FRAGMENT ||
        node.kind === Kind.FRAGMENT_SPREAD;
      if (isSelection && typeof key === 'number' && isNext()) return null;
      if (node.kind === Kind.DIRECTIVE && isNext()) return null;
      if (node.kind === Kind.FIELD && node.alias && isNext()) return { ...node, alias: undefined };
      if (node.kind === Kind.FIELD && node.arguments?.length && isNext()) {
        return { ...node, arguments: [] };
      }
      if (node.kind === Kind.FRAGMENT_SPREAD && isNext()) {
        const fragment = document.definitions.find(
          (one) => one.kind === Kind.FRAGMENT_DEFINITION && one.name.value === node.name.value,
        );
        if (fragment?.kind !== Kind.FRAGMENT_DEFINITION) return undefined;
        const { typeCondition, selectionSet } = fragment;
        const { directives } = node;
        return { kind: Kind.INLINE_FRAGMENT, typeCondition, selectionSet, directives };
      }
      return undefined;
    },
  });
  return done ? withoutUnused(withUnwrapped(smaller)) : undefined;
}

/** Replaces selection sets that have become empty. */
function withUnwrapped(document: DocumentNode): DocumentNode {
  return visit(document, {
    SelectionSet: (node) => {
      if (node.selections.length > 0) return undefined;
      const name = { kind: Kind.NAME, value: '__typename' };
      return { ...node, selections: [{ kind: Kind.FIELD, name }] };
    },
  });
}

/** Removes fragments and variables that are not used. */
function withoutUnused(document: DocumentNode): DocumentNode {
  const text = print(document);
  return visit(document, {
    FragmentDefinition: (node) =>
      new RegExp(`\\.\\.\\.${node.name.value}\\b`).test(text) ? undefined : null,
    VariableDefinition: (node) =>
      text.split(new RegExp(`\\$${node.variable.name.value}\\b`)).length > 2 ? undefined : null,
  });
}

function operationOf(operation: GeneratedOperation, document: DocumentNode): GeneratedOperation {
  return { ...operation, document, text: print(document) };
}
