import {
  type FieldNode,
  Kind,
  type OperationDefinitionNode,
  parse,
  parseType,
  print,
  type SelectionNode,
  type SelectionSetNode,
  type VariableDefinitionNode,
} from 'graphql';
import type { SubgraphAnswer } from '../../subgraphs/subgraph-answer.ts';
import type { StreamDirectives } from './stream-directives.ts';

/** The values that the gateway itself reads from an event. */
export interface EventMarks {
  readonly cursor: string | undefined;
  readonly key: string | undefined;
  /** The trace context of the event's cause, if its subgraph sends one (W3C Trace Context). */
  readonly traceparent?: string | undefined;
}

/**
 * The operation that a subgraph receives: the subgraph's part of the client's operation, with the
 * cursor and the key added.
 */
export interface UpstreamOperation {
  readonly query: string;
  readonly operationName: string | undefined;
  /**
   * Variable for the cursor after which the stream continues; undefined if the stream has no
   * cursors.
   */
  readonly cursorVariable: string | undefined;
  /** Whether a newer event may replace a waiting event of the same key. */
  readonly conflates: boolean;
  /** Reads the marks of an event and removes them from the event. */
  readonly takeMarks: (event: SubgraphAnswer) => EventMarks;
}

/**
 * Adds the cursor and the key to a subgraph's operation, because the gateway reads them even if the
 * client does not select them. Their aliases are names that the operation does not use.
 */
export function createUpstreamOperation(
  { query, operationName }: { query: string; operationName: string | undefined },
  { resume, key }: StreamDirectives,
): UpstreamOperation {
  const document = parse(query);
  const operation = document.definitions.find(
    (definition) => definition.kind === Kind.OPERATION_DEFINITION,
  ) as OperationDefinitionNode;
  const free = unusedName(query);
  const cursorVariable = resume && `${free}after`;
  const cursorAlias = `${free}cursor`;
  const keyAliases: string[] = [];
  const added: SelectionNode[] = [];
  if (resume) added.push(field(resume.field, cursorAlias));
  for (const selection of key ?? []) {
    const alias = `${free}key${keyAliases.length}`;
    if (selection.kind !== Kind.FIELD) continue;
    added.push({ ...selection, alias: { kind: Kind.NAME, value: alias } });
    keyAliases.push(alias);
  }

  let root: FieldNode | undefined;
  const extend = (set: SelectionSetNode): SelectionSetNode => ({
    ...set,
    selections: set.selections.map((selection) => {
      if (selection.kind === Kind.INLINE_FRAGMENT) {
        return { ...selection, selectionSet: extend(selection.selectionSet) };
      }
      if (selection.kind !== Kind.FIELD || selection.name.value === '__typename') return selection;
      root = selection;
      return withMarks(selection, added, resume && { ...resume, variable: cursorVariable ?? '' });
    }),
  });
  const extended: OperationDefinitionNode = {
    ...operation,
    selectionSet: extend(operation.selectionSet),
    variableDefinitions: [
      ...(operation.variableDefinitions ?? []),
      ...(resume && cursorVariable ? [variable(cursorVariable, resume.type)] : []),
    ],
  };
  const responseName = root?.alias?.value ?? root?.name.value ?? '';
  const definitions = document.definitions.map((definition) =>
    definition === operation ? extended : definition,
  );
  return {
    query: print({ ...document, definitions }),
    operationName,
    cursorVariable,
    conflates: keyAliases.length > 0,
    takeMarks: ({ data, extensions }) => {
      const traceparent = causeOf(extensions);
      const payload = data?.[responseName];
      if (typeof payload !== 'object' || payload === null) return { ...NO_MARKS, traceparent };
      const marked = payload as Record<string, unknown>;
      const cursor = resume && marked[cursorAlias];
      const key = keyAliases.length > 0 && JSON.stringify(keyAliases.map((name) => marked[name]));
      delete marked[cursorAlias];
      for (const name of keyAliases) delete marked[name];
      return {
        cursor: typeof cursor === 'string' ? cursor : undefined,
        key: key || undefined,
        traceparent,
      };
    },
  };
}

function causeOf(extensions: SubgraphAnswer['extensions']): string | undefined {
  const cause = extensions?.['traceparent'];
  return typeof cause === 'string' ? cause : undefined;
}

const NO_MARKS: EventMarks = { cursor: undefined, key: undefined };

function unusedName(query: string): string {
  let name = '_live_';
  while (query.includes(name)) name = `_${name}`;
  return name;
}

function withMarks(
  root: FieldNode,
  added: readonly SelectionNode[],
  resume: { argument: string; variable: string } | undefined,
): FieldNode {
  if (added.length === 0) return root;
  const args = (root.arguments ?? []).filter(({ name }) => name.value !== resume?.argument);
  return {
    ...root,
    arguments: resume
      ? [
          ...args,
          {
            kind: Kind.ARGUMENT,
            name: { kind: Kind.NAME, value: resume.argument },
            value: { kind: Kind.VARIABLE, name: { kind: Kind.NAME, value: resume.variable } },
          },
        ]
      : args,
    selectionSet: {
      kind: Kind.SELECTION_SET,
      selections: [...(root.selectionSet?.selections ?? []), ...added],
    },
  };
}

function field(name: string, alias: string): FieldNode {
  return {
    kind: Kind.FIELD,
    name: { kind: Kind.NAME, value: name },
    alias: { kind: Kind.NAME, value: alias },
  };
}

function variable(name: string, type: string): VariableDefinitionNode {
  return {
    kind: Kind.VARIABLE_DEFINITION,
    variable: { kind: Kind.VARIABLE, name: { kind: Kind.NAME, value: name } },
    type: parseType(type),
  };
}
