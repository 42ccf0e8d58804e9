import { type Health, type Logger, type Metrics, OK, type PartState } from '@gudang/runtime';
import { type LoadedSupergraph, parseSupergraph } from '../supergraph.ts';

/** Applies a supergraph. @throws if the supergraph cannot be used */
export type UseSupergraph = (supergraph: LoadedSupergraph) => void;

/**
 * The supergraph in use, and the reasons why a newer one is not in use, as `/readyz` reports them.
 * A supergraph that cannot be used is refused once: the same text is not tried again.
 */
export class AppliedSupergraph {
  readonly #options: {
    /** The place of publication, without credentials. */
    readonly name: string;
    readonly use: UseSupergraph;
    readonly log: Logger;
  };
  readonly #changes;
  #used: string;
  #refused: string | undefined;
  #refusal: string | undefined;
  #outage: string | undefined;

  constructor({
    name,
    current,
    use,
    health,
    metrics,
    log,
  }: {
    name: string;
    /** Text of the supergraph in use. */
    current: string;
    use: UseSupergraph;
    health: Health;
    metrics: Metrics;
    log: Logger;
  }) {
    this.#options = { name, use, log };
    this.#used = current;
    this.#changes = metrics.counter(
      'gateway_supergraph_changes_total',
      'Changes of the supergraph, by outcome',
      ['outcome'],
    );
    metrics.gauge(
      'gateway_supergraph_outdated',
      '1 while a changed supergraph is refused, or its place of publication is unavailable',
      [],
      (gauge) => gauge.set(this.#state() === OK ? 0 : 1),
    );
    health.watch('supergraph', () => this.#state());
  }

  /** Applies a text, unless it is in use or was refused. @returns whether the text is in use */
  offer(sdl: string): boolean {
    if (sdl === this.#used) {
      this.#refusal = undefined;
      this.#refused = undefined;
      return true;
    }
    if (sdl === this.#refused) return false;
    const { name, use, log } = this.#options;
    try {
      use(parseSupergraph(name, sdl));
    } catch (error) {
      this.refuse((error as Error).message);
      this.#refused = sdl;
      return false;
    }
    this.#used = sdl;
    this.#refusal = undefined;
    this.#refused = undefined;
    this.#changes.inc({ outcome: 'used' });
    log.info({ supergraph: name }, 'the supergraph has changed; the new one is in use');
    return true;
  }

  /** Reports that the supergraph at the place of publication cannot be used. */
  refuse(reason: string): void {
    const { name, log } = this.#options;
    this.#changes.inc({ outcome: 'refused' });
    this.#refused = undefined;
    this.#refusal = `${reason}; the previous one remains in use`;
    log.error({ supergraph: name }, this.#refusal);
  }

  /** Sets why the place of publication is unavailable; undefined: it answers. */
  setOutage(reason: string | undefined): void {
    this.#outage = reason;
  }

  #state(): PartState {
    const reasons = [this.#outage, this.#refusal].filter((reason) => reason !== undefined);
    return reasons.length === 0 ? OK : { state: 'degraded', reason: reasons.join('; ') };
  }
}
