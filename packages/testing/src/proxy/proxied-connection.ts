import { connect, type Socket } from 'node:net';
import { answeredId, kindOf, requestId, type Splitter } from './frames.ts';
import type { Counts, Rules } from './rules.ts';

export interface ProxiedConnection {
  readonly stall: () => void;
  /** Goes on after a stall, and sends what was held back. */
  readonly resume: () => void;
  /** Ends both sides at once, as a broken network does. */
  readonly reset: () => void;
}

/** One client's connection and the one to the server that stands for it. */
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
  rules: Rules;
  counts: Counts;
  closed: () => void;
}): ProxiedConnection {
  const server = connect(target);
  const requests = split();
  const answers = split();
  const unheard = new Set<number>();
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
      const kind = kindOf(request);
      if (held === undefined && rules.hold && kind === rules.hold.kind && rules.hold.left > 0) {
        rules.hold.left -= 1;
        held = [];
        counts.held += 1;
      }
      if (held) {
        held.push(request);
        continue;
      }
      if (rules.drop && kind === rules.drop.kind && rules.drop.left > 0) {
        rules.drop.left -= 1;
        unheard.add(requestId(request));
      }
      server.write(request);
    }
  });

  server.on('data', (chunk) => {
    for (const answer of answers(chunk)) {
      const id = unheard.size > 0 ? answeredId(answer) : undefined;
      if (id !== undefined && unheard.delete(id)) {
        counts.dropped += 1;
        if (rules.drop?.then === 'cut') return reset();
        silent = true;
      }
      if (!silent) client.write(answer);
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
