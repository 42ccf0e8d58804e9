/** What `/readyz` says of one part: fine, working with less, or not working. */
export type PartState =
  | { readonly state: 'ok' }
  | { readonly state: 'degraded' | 'down'; readonly reason: string };

export interface HealthReport {
  /** Whether requests may be sent here. */
  readonly ready: boolean;
  readonly parts: Readonly<Record<string, PartState>>;
}

export interface Health {
  /** Registers a part; its state is asked for at each report. Returns how to forget it. */
  readonly watch: (part: string, state: () => PartState | Promise<PartState>) => () => void;
  readonly report: () => Promise<HealthReport>;
  /** From now on not ready, so that load balancers look elsewhere. */
  readonly drain: () => void;
  readonly isDraining: () => boolean;
}

export const OK: PartState = { state: 'ok' };

/** Not ready when any part is down; a degraded part is named and leaves it ready. */
export function createHealth(): Health {
  const watched = new Map<string, () => PartState | Promise<PartState>>();
  let draining = false;
  return {
    watch: (part, state) => {
      watched.set(part, state);
      return () => {
        if (watched.get(part) === state) watched.delete(part);
      };
    },
    drain: () => {
      draining = true;
    },
    isDraining: () => draining,
    report: async () => {
      const states = await Promise.all(
        [...watched].map(async ([part, state]) => [part, await state()] as const),
      );
      const parts: Record<string, PartState> = Object.fromEntries(states);
      if (draining) parts['process'] = { state: 'down', reason: 'it is stopping' };
      return { ready: Object.values(parts).every((part) => part.state !== 'down'), parts };
    },
  };
}
