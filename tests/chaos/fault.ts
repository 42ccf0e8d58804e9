import type { Random } from '@gudang/testing/random';
import type { TopicArchive } from '@gudang/testing/topic-archive';
import type { Acknowledged } from './history.ts';
import type { Customer } from './load/customer.ts';
import type { Load } from './load/load.ts';
import type { RunningWatcher } from './load/watcher.ts';
import type { Rig } from './rig/rig.ts';

/** One thing that goes wrong, beside a load that goes on. */
export interface Fault {
  /** For the command line. */
  readonly name: string;
  /** For the table. */
  readonly title: string;
  /** Has a short version for every test run; the others wait for time-outs, or take long. */
  readonly short?: boolean;
  /** Why it cannot be made to happen here. */
  readonly unavailable?: (rig: Rig) => string | undefined;
  /**
   * Makes it happen; whatever is still broken afterwards is mended by the caller.
   * @returns how often it provably happened; 0 fails the run
   */
  readonly run: (context: FaultContext) => Promise<number>;
}

export interface FaultContext {
  readonly rig: Rig;
  readonly load: Load;
  readonly customer: Customer;
  readonly random: Random;
  /** Unique to this run of this fault: begins the ids of its products. */
  readonly label: string;
  /** A short version is wanted: less of the same. */
  readonly short: boolean;
  /** Watches this fault's products from now on; checked when all has settled. */
  readonly watch: (name: string, url: () => string) => Promise<RunningWatcher>;
  /** Adds a stock beside those of the load. */
  readonly addStock: (id: string, quantity: number) => Promise<void>;
  /** Counts an order beside those of the load. */
  readonly acknowledged: (order: Acknowledged) => void;
  readonly archive: TopicArchive;
  /** Orders of another system that were put into order_created: stock must decide them. */
  readonly foreign: { id: string; productId: string }[];
  /** Notes a figure to be shown below the row. */
  readonly note: (what: string) => void;
  /** Notes what must not happen, beside the guarantees that are checked anyway. */
  readonly breach: (what: string) => void;
}
