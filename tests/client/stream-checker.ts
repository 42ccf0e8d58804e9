import type { LiveEvent } from '@gudang/client';

/** The data of an event of `stockChanged`. */
export interface StockChanged {
  readonly stockChanged: {
    readonly kind: string;
    readonly stock: { readonly id: string; readonly version: number };
  };
}

/** Number of violations that are kept. */
const MAX_VIOLATIONS = 20;

/**
 * Checks the events of one client of `stockChanged`, whose stream began before all stocks were added. Each
 * change of a stock raises its version by one, so Σ(1 + conflated) between two events is the difference.
 */
export class StreamChecker {
  readonly violations: string[] = [];
  /** The last version of each stock. */
  readonly versions = new Map<string, number>();
  events = 0;
  rows = 0;
  snapshots = 0;
  conflated = 0;
  #isInSnapshot = false;

  readonly receive = (event: LiveEvent<StockChanged>): void => {
    if (event.snapshot) {
      const { phase, reset } = event.snapshot;
      this.#isInSnapshot = phase === 'begin';
      if (this.#isInSnapshot) this.snapshots += 1;
      if (this.#isInSnapshot && reset) this.versions.clear();
      return;
    }
    if (!event.data) {
      this.#violate(`an event has no data: ${JSON.stringify(event.errors)}`);
      return;
    }
    const { kind, stock } = event.data.stockChanged;
    this.events += 1;
    this.conflated += event.conflated;
    // No stock is deleted, so each row of a snapshot has this kind.
    if (kind === 'SNAPSHOT') this.#addRow(stock);
    else this.#addChange(stock, event.conflated);
    if (this.#isInSnapshot !== (kind === 'SNAPSHOT')) {
      this.#violate(`${kind} ${this.#isInSnapshot ? 'within' : 'outside'} a snapshot: ${stock.id}`);
    }
  };

  #addRow({ id, version }: StockChanged['stockChanged']['stock']): void {
    this.rows += 1;
    const known = this.versions.get(id) ?? 0;
    if (version < known)
      this.#violate(`step back: ${id} from ${known} to ${version} in a snapshot`);
    this.versions.set(id, version);
  }

  #addChange({ id, version }: StockChanged['stockChanged']['stock'], conflated: number): void {
    const known = this.versions.get(id) ?? 0;
    this.versions.set(id, version);
    if (version === known) this.#violate(`shown twice: ${id} at ${version}`);
    else if (version < known) this.#violate(`step back: ${id} from ${known} to ${version}`);
    else if (version !== known + 1 + conflated) {
      this.#violate(`lost: ${id} from ${known} to ${version}, ${conflated} conflated`);
    }
  }

  #violate(what: string): void {
    if (this.violations.length < MAX_VIOLATIONS) this.violations.push(what);
  }
}
