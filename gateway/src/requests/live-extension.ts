import { badRequest } from '../errors/request-error.ts';
import type { RequestFields } from './graphql-request.ts';

/** The options of a live stream that a client sends in `extensions.live`. */
export interface LiveExtension {
  /** Whether the client receives the markers of snapshots, as `extensions.live.snapshot`. */
  readonly receivesMarkers: boolean;
}

const ABSENT: LiveExtension = { receivesMarkers: false };
const PRESENT: LiveExtension = { receivesMarkers: true };

/**
 * Reads `extensions.live`. Unknown members are ignored, so that clients may send members that only newer
 * gateways know.
 * @throws {RequestError} 400 if it is not a JSON object
 */
export function readLiveExtension({
  extensions,
}: Pick<RequestFields, 'extensions'>): LiveExtension {
  const live = extensions?.['live'];
  if (live === undefined || live === null) return ABSENT;
  if (typeof live !== 'object' || Array.isArray(live)) {
    throw badRequest("'extensions.live' must be a JSON object");
  }
  return PRESENT;
}
