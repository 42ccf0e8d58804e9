import type { System } from '@gudang/testing/system/system';
import { type DocumentNode, Kind, parse, print, visit } from 'graphql';

/** Runs an operation. If it is a subscription, creates an order and waits for an event. */
export async function runOperation(query: string, { graph, live }: System): Promise<void> {
  const order = () =>
    graph('mutation { createOrder(input: { productId: "kopi-gayo", quantity: 1 }) { id } }');
  const [definition] = parse(query).definitions;
  if (definition?.kind === Kind.OPERATION_DEFINITION && definition.operation === 'subscription') {
    const stream = await live({ query });
    try {
      await order();
      await stream.waitFor(() => true, { until: 'an event arrives' });
    } finally {
      await stream.close();
    }
    return;
  }
  const { errors } = await graph(query);
  if (errors) throw new Error(JSON.stringify(errors));
}

/** Lists the field and directive definitions of a schema, without descriptions. */
function statementsOf(schema: DocumentNode): Set<string> {
  const statements = new Set<string>();
  const bare = visit(schema, {
    enter: (node) => ('description' in node ? { ...node, description: undefined } : undefined),
  });
  for (const definition of bare.definitions) {
    if ('fields' in definition && 'name' in definition && definition.name) {
      for (const field of definition.fields ?? []) {
        statements.add(`${definition.name.value}.${print(field)}`);
      }
    } else if (definition.kind === Kind.DIRECTIVE_DEFINITION) statements.add(print(definition));
  }
  return statements;
}

/** Returns the definitions in a schema snippet that the schema does not contain. */
export function notIn(snippet: string, schema: string): string[] {
  const real = statementsOf(parse(schema));
  return [...statementsOf(parse(snippet))].filter((statement) => !real.has(statement));
}

export function isSchema(text: string): boolean {
  return parse(text).definitions.some(({ kind }) => kind !== Kind.OPERATION_DEFINITION);
}
