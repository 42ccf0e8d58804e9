import { LRUCache } from 'lru-cache';
import { createDeferredOperation } from '../defer/deferred-operation.ts';
import { RequestError } from '../errors/request-error.ts';
import type { ParsedOperation } from '../limits/operation-parser.ts';
import type { OwnExecutor } from '../plan-execution/own-executor.ts';
import type { PreparedParts, Values } from '../plan-execution/plan-executor.ts';
import { type ConditionVariants, keyOf } from '../planning/condition-variants.ts';
import type { OperationPlanner, OverrideLabels } from '../planning/operation-planner.ts';
import type { OverrideVariants } from '../planning/progressive-overrides.ts';

/**
 * Maximum number of plans of one operation. It has a plan for each combination of deferred fragments that
 * clients choose by variables, for each variant of its progressive overrides, and for the values of its conditions.
 */
const MAX_PLANS = 16;

/** Returns the plan of an operation with deferred fragments; undefined if it is executed as a whole. */
export type FindPartPlan = (variables: Values | undefined) => PreparedParts | undefined;

/** @param charge runs the planning of one operation */
export function createPartPlans(
  parsed: ParsedOperation,
  {
    plan,
    executor,
    overrides,
    conditions,
    draw = () => Math.random() * 100,
    charge,
  }: {
    plan: OperationPlanner;
    executor: Pick<OwnExecutor, 'prepareInParts'>;
    overrides: OverrideVariants | undefined;
    conditions: ConditionVariants | undefined;
    draw?: (() => number) | undefined;
    charge: <T>(work: () => T) => T;
  },
): FindPartPlan {
  const operationOf = createDeferredOperation(parsed);
  const known = new LRUCache<string, { readonly run: PreparedParts | undefined }>({
    max: MAX_PLANS,
  });
  return (variables) => {
    const operation = operationOf(variables);
    if (!operation) return undefined;
    const { document, labels, key } = operation;
    const variant = overrides?.variantAt(draw());
    const values = conditions?.valuesOf(variables);
    const name = `${variant} ${values && keyOf(values)} ${key}`;
    const found = known.get(name);
    if (found) return found.run;
    const on: OverrideLabels | undefined =
      variant === undefined ? undefined : overrides?.labelsOf(variant);
    const run = prepareOrNot(() =>
      charge(() =>
        executor.prepareInParts(plan(document, undefined, on, values), (label) =>
          labels.get(label),
        ),
      ),
    );
    known.set(name, { run });
    return run;
  };
}

/**
 * Apollo's planner has no plan for some nested fragments with `@defer`. Their operation is answered as a whole,
 * which `@defer` allows.
 */
function prepareOrNot(prepare: () => PreparedParts | undefined): PreparedParts | undefined {
  try {
    return prepare();
  } catch (error) {
    if (error instanceof RequestError) throw error;
    return undefined;
  }
}
