import { ANONYMOUS, type Identity, UNRESTRICTED } from '@gudang/auth';
import type { ParsedOperation } from '../../limits/operation-parser.ts';
import { coerceVariables, cursorOf, pick } from '../planning/stream-variables.ts';
import type { SubscriptionPlan } from '../planning/subscription-plan.ts';
import type { LiveGraph } from '../upstream/live-graph.ts';

export interface LiveRequest {
  readonly read: ParsedOperation;
  readonly variables: Readonly<Record<string, unknown>>;
  /** The cursor to go on from, in place of the operation's own. */
  readonly after?: string | undefined;
  /** Who asks; anonymous unless told. */
  readonly identity?: Identity | undefined;
}

/** Which stream a request is for. */
export interface Placement {
  /** The same for all that show the same, to whoever may see it. */
  readonly key: string;
  readonly plan: SubscriptionPlan;
  readonly variables: Readonly<Record<string, unknown>>;
  /** What the stream knows of those who ask: no more than its key holds. */
  readonly identity: Identity;
  /** The cursor to go on from; undefined: from now on. */
  readonly after: string | undefined;
}

/** @throws {RefusedOperation} */
export function placeRequest(
  { plan: planOf, supergraph }: LiveGraph,
  { read, variables: given, after, identity: asking = ANONYMOUS }: LiveRequest,
): Placement {
  const plan = planOf(read, asking);
  const coerced = coerceVariables(supergraph, read, given);
  const variables = pick(coerced, plan.streamVariables);
  const identity = heldIdentity(plan, asking);
  const resumes = plan.upstream.cursorVariable !== undefined;
  return {
    // Variables are coerced, so their JSON is the same whenever they mean the same.
    key: `${JSON.stringify(identity)}\n${plan.normalised}\n${JSON.stringify(variables)}`,
    plan,
    variables,
    identity,
    after: resumes ? (after ?? cursorOf(plan, coerced)) : undefined,
  };
}

/** Whoever has the same scopes shares what is not private. */
function heldIdentity({ isPrivate }: SubscriptionPlan, asking: Identity): Identity {
  if (asking.unrestricted) return UNRESTRICTED;
  const { subject, scopes } = asking;
  const held = { scopes: [...new Set(scopes)].sort() };
  if (subject === undefined) return held;
  return isPrivate ? { ...held, subject } : { ...held, authenticated: true };
}
