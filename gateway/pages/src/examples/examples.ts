import { isUnknownField } from '../graph/graph-errors.ts';
import { sendOperation } from '../graph/send-operation.ts';

/** An operation that Sandbox and GraphiQL show when they open. */
export interface Example {
  readonly query: string;
  /** JSON text, as both editors expect. */
  readonly variables?: string;
}

/** Valid for any graph. */
const GENERIC_EXAMPLES: readonly Example[] = [
  {
    query:
      '# Write an operation here. Ctrl-Space completes names.\nquery Hello {\n  __typename\n}\n',
  },
];

/** Selects the examples that are valid for the graph that the gateway serves. */
export async function loadExamples(): Promise<readonly Example[]> {
  const { probe, examples } = await import('./graph-examples.ts');
  if (examples.length === 0) return GENERIC_EXAMPLES;
  try {
    const { errors } = await sendOperation(probe);
    return errors.some(isUnknownField) ? GENERIC_EXAMPLES : examples;
  } catch {
    return examples;
  }
}
