import type { AST } from '@eslint-community/regexpp';
import { getConsumedChars, getFirstConsumedChar, type ReadonlyFlags } from 'regexp-ast-analysis';
import { analyse, type ParsedLiteral } from 'scslre';

/**
 * Finds the reasons for which matching a regular expression can take more than linear time.
 *
 * scslre finds attacks that repeat one character: backtracking, and a search in which a quantifier at
 * the start of the pattern begins again at each position. `restarts` finds a search that begins again at
 * each repetition of a longer text.
 */
export function findSuperLinear(source: string, flags: string): string[] {
  const { parsed, reports } = analyse({ source, flags });
  // A regular expression that is a part of a larger check may be followed by a failure.
  const { reports: possible } = analyse(parsed, {
    assumeRejectingSuffix: true,
    reportTypes: { Move: false },
  });
  const reasons = [...reports, ...possible].map(({ type, character }) => {
    const repeated = JSON.stringify(character.pick);
    return type === 'Move'
      ? `the search begins again at each ${repeated}`
      : `quantifiers exchange ${repeated}`;
  });
  const restarting = restarts(parsed).map(
    ({ raw }) => `the search can begin again inside of ${raw}`,
  );
  return [...new Set([...reasons, ...restarting])];
}

/**
 * Finds unbounded quantifiers that can consume the start of another match and can be followed by a
 * failure, such as `.+` in `/Did you mean(.+)\?$/`. For `Did you mean` repeated n times, the search
 * begins n times and reads up to the end each time.
 */
function restarts({ pattern, flags }: ParsedLiteral): AST.Quantifier[] {
  if (flags.sticky || pattern.alternatives.every((one) => isAnchored(one, flags))) return [];
  const first = getFirstConsumedChar(pattern.alternatives, 'ltr', flags).char;
  return quantifiersIn(pattern).filter(
    (quantifier) =>
      quantifier.max === Number.POSITIVE_INFINITY &&
      !getConsumedChars(quantifier.element, flags).chars.isDisjointWith(first) &&
      isPreceded(quantifier) &&
      canFailAfter(quantifier),
  );
}

function isAnchored({ elements: [first] }: AST.Alternative, flags: ReadonlyFlags): boolean {
  return first?.type === 'Assertion' && first.kind === 'start' && !flags.multiline;
}

function quantifiersIn(node: AST.Node): AST.Quantifier[] {
  switch (node.type) {
    case 'Quantifier':
      return [node, ...quantifiersIn(node.element)];
    case 'Alternative':
      return node.elements.flatMap(quantifiersIn);
    case 'Pattern':
    case 'Group':
    case 'CapturingGroup':
      return node.alternatives.flatMap(quantifiersIn);
    default:
      return 'alternatives' in node ? node.alternatives.flatMap(quantifiersIn) : [];
  }
}

/** Whether a match begins before the quantifier. scslre checks quantifiers with which a match begins. */
function isPreceded(quantifier: AST.Quantifier): boolean {
  return siblings(quantifier).some(({ before }) => before.some((one) => one.type !== 'Assertion'));
}

/** Whether the pattern requires something after the quantifier. */
function canFailAfter(quantifier: AST.Quantifier): boolean {
  return siblings(quantifier).some(({ after }) =>
    after.some((one) => one.type !== 'Quantifier' || one.min > 0),
  );
}

/** Returns the elements before and after a node, at each level of the pattern. */
function siblings(node: AST.Node) {
  const levels: { before: AST.Element[]; after: AST.Element[] }[] = [];
  for (let one: AST.Node = node; one.parent; one = one.parent) {
    if (one.parent.type !== 'Alternative') continue;
    const { elements } = one.parent;
    const index = elements.indexOf(one as AST.Element);
    levels.push({ before: elements.slice(0, index), after: elements.slice(index + 1) });
  }
  return levels;
}
