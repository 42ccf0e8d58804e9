import { badRequest } from '../errors/request-error.ts';
import type { RequestFields } from './graphql-request.ts';
import { isObject } from './request-fields.ts';

/** The options of a live stream that a client sends in `extensions.live`; see gateway/docs/live-protocol.md. */
export interface LiveExtension {
  /** Whether the client receives cursors and the markers of snapshots in `extensions.live`. */
  readonly isPresent: boolean;
  /** Cursor after which the stream continues; undefined if it is absent or null. */
  readonly after: string | undefined;
  /** Whether the client also receives positions: messages with a cursor and without an event. */
  readonly receivesPositions: boolean;
}

const ABSENT: LiveExtension = { isPresent: false, after: undefined, receivesPositions: false };

/**
 * Reads `extensions.live`. Unknown members are ignored, so that clients may send members that only newer
 * gateways know.
 * @throws {RequestError} 400 if it or a known member has a type that is not allowed
 */
export function readLiveExtension({
  extensions,
}: Pick<RequestFields, 'extensions'>): LiveExtension {
  const live = extensions?.['live'];
  if (live === undefined || live === null) return ABSENT;
  if (!isObject(live)) throw badRequest("'extensions.live' must be a JSON object");
  const after = live['after'] ?? undefined;
  const positions = live['positions'] ?? false;
  if (after !== undefined && typeof after !== 'string') {
    throw badRequest("'extensions.live.after' must be a string: the cursor of the last event");
  }
  if (typeof positions !== 'boolean') {
    throw badRequest("'extensions.live.positions' must be true or false");
  }
  return { isPresent: true, after, receivesPositions: positions };
}
