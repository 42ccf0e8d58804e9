import { ANONYMOUS, type Identity, UNRESTRICTED } from '@gudang/auth';
import type { PluginClient } from '../../../plugin.d.ts';
import type { ForwardedHeaders } from '../../headers/forwarded-headers.ts';
import type { ByteAccount } from '../../limits/byte-account.ts';
import type { ParsedOperation } from '../../limits/operation-parser.ts';
import type { LiveExtension } from '../../requests/live-extension.ts';
import { coerceVariables, cursorOf, pick } from '../planning/stream-variables.ts';
import type { SubscriptionPlan } from '../planning/subscription-plan.ts';
import type { LiveGraph } from '../upstream/live-graph.ts';

/** A client's request for a live stream. */
export interface LiveRequest {
  readonly read: ParsedOperation & { readonly cost?: number };
  readonly variables: Readonly<Record<string, unknown>>;
  /**
   * Cursor of the header `Last-Event-ID`, after which the stream continues. It overrides the cursor of the
   * extension, because an EventSource sends only this header's newest value when it reconnects.
   */
  readonly after?: string | undefined;
  /** The caller; anonymous by default. */
  readonly identity?: Identity | undefined;
  /** The client's headers that rules forward; undefined without such rules. */
  readonly headers?: ForwardedHeaders | undefined;
  /** The client's headers and identity, for plugins; undefined without plugins. */
  readonly client?: PluginClient | undefined;
  /** The account of the caller's connection. */
  readonly account: ByteAccount;
  /** The client's `extensions.live`, whose cursor overrides the operation's cursor argument. */
  readonly extension?: LiveExtension | undefined;
}

/** The stream that a request belongs to. */
export interface Placement {
  /** Equal for requests with the same result, the same authorization and the same forwarded headers. */
  readonly key: string;
  readonly plan: SubscriptionPlan;
  readonly variables: Readonly<Record<string, unknown>>;
  /**
   * The part of the identity that is the same for all callers of the stream; also part of `key`.
   */
  readonly identity: Identity;
  /** The forwarded headers, the same for all clients of the stream; part of `key`. */
  readonly headers?: ForwardedHeaders | undefined;
  /** Cursor after which the client continues; undefined if it receives only new events. */
  readonly after: string | undefined;
  /** The operation's cost; the same for all requests with this key. */
  readonly cost: number;
}

/**
 * Finds the stream that a request belongs to.
 * @throws {SubscriptionError} if the operation is invalid, or if the caller may not run it
 */
export function placeRequest(
  { plan: planOf, supergraph }: LiveGraph,
  { read, variables: given, after, extension, headers, identity = ANONYMOUS }: LiveRequest,
): Placement {
  let known: Readonly<Record<string, unknown>> | undefined;
  const coerce = () => (known ??= coerceVariables(supergraph, read, given));
  const plan = planOf(read, identity, coerce);
  const coerced = coerce();
  const variables = pick(coerced, plan.streamVariables);
  const shared = sharedIdentity(plan, identity);
  const isResumable = plan.upstream.cursorVariable !== undefined;
  return {
    // The variables are coerced, so equal values have the same JSON.
    key: `${JSON.stringify(shared)}\n${headers?.key ?? ''}\n${plan.normalized}\n${JSON.stringify(variables)}`,
    plan,
    variables,
    identity: shared,
    headers,
    after: isResumable ? (after ?? extension?.after ?? cursorOf(plan, coerced)) : undefined,
    cost: read.cost ?? 0,
  };
}

/** Whether a stream with one placement can continue with the plan of another placement. */
export function canContinue(stream: Placement, next: Placement): boolean {
  const [before, after] = [stream.plan.upstream, next.plan.upstream];
  const isResumable = before.cursorVariable !== undefined;
  return (
    next.key === stream.key &&
    after.conflates === before.conflates &&
    (after.cursorVariable !== undefined) === isResumable &&
    // Events of another query may have other keys. New values would then never replace the cached
    // ones.
    (!before.conflates || isResumable || after.query === before.query)
  );
}

/**
 * Returns the part of an identity that is the same for all callers of a stream: the scopes, whether
 * the caller is authenticated, and the subject if the result is private.
 */
function sharedIdentity({ isPrivate }: SubscriptionPlan, identity: Identity): Identity {
  if (identity.unrestricted) return UNRESTRICTED;
  const { subject, scopes } = identity;
  const shared = { scopes: [...new Set(scopes)].sort() };
  if (subject === undefined) return shared;
  return isPrivate ? { ...shared, subject } : { ...shared, authenticated: true };
}
