/** State of a part in `/readyz`. A degraded part works with restrictions. */
export type PartState =
  | { readonly state: 'ok' }
  | { readonly state: 'degraded' | 'down'; readonly reason: string };

export interface HealthReport {
  /** Whether the process can serve requests. */
  readonly ready: boolean;
  readonly parts: Readonly<Record<string, PartState>>;
}

export interface Health {
  /** Registers a part. Its state is read for each report. Returns a function that removes the part. */
  readonly watch: (part: string, state: () => PartState | Promise<PartState>) => () => void;
  readonly report: () => Promise<HealthReport>;
  /** Reports the process as not ready, so that load balancers stop sending requests. */
  readonly drain: () => void;
  readonly isDraining: () => boolean;
}

export const OK: PartState = { state: 'ok' };

/**
 * Creates the health of a process. The process is not ready if a part is down. It is still ready if parts
 * are degraded.
 */
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
      if (draining) parts['process'] = { state: 'down', reason: 'the process is stopping' };
      return { ready: Object.values(parts).every((part) => part.state !== 'down'), parts };
    },
  };
}
