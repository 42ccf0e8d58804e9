/** A request's variables, as given. */
export type Variables = Readonly<Record<string, unknown>>;

/** A term of a cost: a constant, or the step that computes it from variables. */
export type Term = number | { readonly step: number };

/** Sums are capped here, far above any limit. */
const MOST = Number.MAX_SAFE_INTEGER;

type Step = (results: readonly number[], variables: Variables) => number;

/**
 * The cost of an operation, computed once as far as it does not depend on variables. The remaining
 * steps are few: one for each list whose size is a variable, and one for each sum above it.
 */
export interface CostProgram {
  readonly sum: (terms: readonly Term[]) => Term;
  readonly product: (one: Term, other: Term) => Term;
  /** A number that depends on a request's variables. */
  readonly variable: (read: (variables: Variables) => number) => Term;
  readonly run: (term: Term, variables: Variables) => number;
}

export function createCostProgram(): CostProgram {
  const steps: Step[] = [];
  const add = (step: Step): Term => ({ step: steps.push(step) - 1 });
  const resultOf = (term: Term, results: readonly number[]): number =>
    typeof term === 'number' ? term : (results[term.step] ?? 0);
  return {
    sum: (terms) => {
      const known = terms.reduce<number>(
        (sum, term) => (typeof term === 'number' ? sum + term : sum),
        0,
      );
      const open = terms.filter((term) => typeof term !== 'number');
      const [only] = open;
      if (!only) return Math.min(known, MOST);
      if (open.length === 1 && known === 0) return only;
      return add((results) =>
        Math.min(
          open.reduce((sum, term) => sum + resultOf(term, results), known),
          MOST,
        ),
      );
    },
    product: (one, other) => {
      if (one === 0 || other === 0) return 0;
      if (one === 1) return other;
      if (other === 1) return one;
      const multiply = (results: readonly number[]): number =>
        Math.min(resultOf(one, results) * resultOf(other, results), MOST);
      return typeof one === 'number' && typeof other === 'number' ? multiply([]) : add(multiply);
    },
    variable: (read) => add((_results, variables) => read(variables)),
    run: (term, variables) => {
      if (typeof term === 'number') return term;
      const results: number[] = [];
      for (let at = 0; at <= term.step; at += 1) {
        results.push(steps[at]?.(results, variables) ?? 0);
      }
      return results[term.step] ?? 0;
    },
  };
}
