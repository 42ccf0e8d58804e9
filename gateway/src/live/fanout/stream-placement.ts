import { ANONYMOUS, type Identity, UNRESTRICTED } from '@gudang/auth';
import type { ParsedOperation } from '../../limits/operation-parser.ts';
import { coerceVariables, cursorOf, pick } from '../planning/stream-variables.ts';
import type { SubscriptionPlan } from '../planning/subscription-plan.ts';
import type { LiveGraph } from '../upstream/live-graph.ts';

/** A client's request for a live stream. */
export interface LiveRequest {
  readonly read: ParsedOperation;
  readonly variables: Readonly<Record<string, unknown>>;
  /** The cursor to continue after; overrides the operation's own. */
  readonly after?: string | undefined;
  /** The caller; anonymous by default. */
  readonly identity?: Identity | undefined;
}

/** The stream that a request belongs to. */
export interface Placement {
  /** Equal for requests with the same result and the same authorization. */
  readonly key: string;
  readonly plan: SubscriptionPlan;
  readonly variables: Readonly<Record<string, unknown>>;
  /** The part of the identity that all callers of the stream share; the key contains it. */
  readonly identity: Identity;
  /** The cursor to continue after; undefined: only new events. */
  readonly after: string | undefined;
}

/** @throws {SubscriptionError} the operation cannot run, or the caller may not run it */
export function placeRequest(
  { plan: planOf, supergraph }: LiveGraph,
  { read, variables: given, after, identity = ANONYMOUS }: LiveRequest,
): Placement {
  const plan = planOf(read, identity);
  const coerced = coerceVariables(supergraph, read, given);
  const variables = pick(coerced, plan.streamVariables);
  const shared = sharedIdentity(plan, identity);
  const isResumable = plan.upstream.cursorVariable !== undefined;
  return {
    // Coerced variables: equal values have the same JSON.
    key: `${JSON.stringify(shared)}\n${plan.normalized}\n${JSON.stringify(variables)}`,
    plan,
    variables,
    identity: shared,
    after: isResumable ? (after ?? cursorOf(plan, coerced)) : undefined,
  };
}

/** Whether a stream of one placement can continue with the plan of another. */
export function canContinue(stream: Placement, next: Placement): boolean {
  const [before, after] = [stream.plan.upstream, next.plan.upstream];
  const isResumable = before.cursorVariable !== undefined;
  return (
    next.key === stream.key &&
    after.conflates === before.conflates &&
    (after.cursorVariable !== undefined) === isResumable &&
    // With other keys, new values would never replace the cached ones.
    (!before.conflates || isResumable || after.query === before.query)
  );
}

/** Callers of the same scopes share a stream, unless its result is private to the subject. */
function sharedIdentity({ isPrivate }: SubscriptionPlan, identity: Identity): Identity {
  if (identity.unrestricted) return UNRESTRICTED;
  const { subject, scopes } = identity;
  const shared = { scopes: [...new Set(scopes)].sort() };
  if (subject === undefined) return shared;
  return isPrivate ? { ...shared, subject } : { ...shared, authenticated: true };
}
