import { connect, type Socket } from 'node:net';
import { apiKeyOf, correlationIdOf, correlationIdOfResponse, type Splitter } from './frames.ts';
/** Faults to inject into requests with a certain API key. */
export interface FaultRules {
  /** Delays requests with this API key and all later requests of the same connection. */
  hold: { readonly apiKey: number; left: number } | undefined;
  /** Forwards requests with this API key and drops their responses. */
  drop: { readonly apiKey: number; readonly then: 'cut' | 'silence'; left: number } | undefined;
}

/** Number of injected faults. */
export interface FaultCounts {
  /** Connections that were open when the proxy cut them. */
  reset: number;
  /**
   * Connections that were open when a stall began, and connections that were opened during the
   * stall.
   */
  stalled: number;
  /** Requests that were held back. */
  held: number;
  /** Responses that were dropped after the server had processed the request. */
  dropped: number;
}

export interface ProxiedConnection {
  readonly stall: () => void;
  /** Ends a stall and sends held requests. */
  readonly resume: () => void;
  /** Resets both sides, as a broken network does. */
  readonly reset: () => void;
}

/** Connects a client to the server and applies the fault rules to its traffic. */
export function openProxiedConnection({
  client,
  target,
  split,
  rules,
  counts,
  closed,
}: {
  client: Socket;
  target: { readonly host: string; readonly port: number };
  split: () => Splitter;
  rules: FaultRules;
  counts: FaultCounts;
  closed: () => void;
}): ProxiedConnection {
  const server = connect(target);
  const requests = split();
  const responses = split();
  const dropping = new Set<number>();
  let held: Buffer[] | undefined;
  let silent = false;

  const reset = (): void => {
    client.resetAndDestroy();
    server.resetAndDestroy();
    closed();
  };
  for (const side of [client, server]) {
    side.setNoDelay(true);
    side.on('error', reset);
  }
  client.on('end', () => server.end());
  server.on('end', () => client.end());
  client.on('close', () => {
    if (held === undefined) server.destroy();
    closed();
  });
  server.on('close', () => client.destroy());

  client.on('data', (chunk) => {
    for (const request of requests(chunk)) {
      const apiKey = apiKeyOf(request);
      if (held === undefined && rules.hold && apiKey === rules.hold.apiKey && rules.hold.left > 0) {
        rules.hold.left -= 1;
        held = [];
        counts.held += 1;
      }
      if (held) {
        held.push(request);
        continue;
      }
      if (rules.drop && apiKey === rules.drop.apiKey && rules.drop.left > 0) {
        rules.drop.left -= 1;
        dropping.add(correlationIdOf(request));
      }
      server.write(request);
    }
  });

  server.on('data', (chunk) => {
    for (const response of responses(chunk)) {
      const id = dropping.size > 0 ? correlationIdOfResponse(response) : undefined;
      if (id !== undefined && dropping.delete(id)) {
        counts.dropped += 1;
        if (rules.drop?.then === 'cut') return reset();
        silent = true;
      }
      if (!silent) client.write(response);
    }
  });

  return {
    stall: () => {
      client.pause();
      server.pause();
    },
    resume: () => {
      for (const request of held ?? []) server.write(request);
      if (held && client.destroyed) server.end();
      held = undefined;
      client.resume();
      server.resume();
    },
    reset,
  };
}
