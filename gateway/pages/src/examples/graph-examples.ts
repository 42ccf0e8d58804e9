import { ask } from '../graph/send-operation.ts';
import { isUnknownField } from '../graph/graph-errors.ts';
import { ANY_EXAMPLES, type Example, SHOP_EXAMPLES } from './examples.ts';

/** Examples that fit the graph which the gateway serves. */
export async function graphExamples(): Promise<readonly Example[]> {
  try {
    const { errors } = await ask('{ stockCursor }');
    return errors.some(isUnknownField) ? ANY_EXAMPLES : SHOP_EXAMPLES;
  } catch {
    return SHOP_EXAMPLES;
  }
}
