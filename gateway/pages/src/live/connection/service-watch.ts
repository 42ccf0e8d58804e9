import type { Services } from './connection.ts';

/** Interval between checks while everything works, in ms. */
const WELL_MS = 10_000;
/** Interval between checks while a part is unavailable, in ms. */
const RETRY_MS = 5_000;
/** Shortest interval between two checks, in ms, however many signs of a problem there are. */
const AT_ONCE_MS = 1_000;

export interface ServiceWatch {
  /** Checks soon, because there is a sign that a part failed or returned. */
  readonly checkSoon: () => void;
  /**
   * Records a change that only working services and a working Kafka can cause. While such changes
   * arrive, nothing is checked.
   */
  readonly proveWell: () => void;
}

interface Options {
  /** @throws if the gateway does not answer */
  readonly check: () => Promise<Services>;
  /** Called after each check; with undefined if the gateway does not answer. */
  readonly onChecked: (services: Services | undefined) => void;
}

/** Finds out whether the services and Kafka work, as long as the page is visible. */
export function startServiceWatch(options: Options): ServiceWatch {
  const watch = new Watch(options);
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) watch.checkSoon();
  });
  watch.checkSoon();
  return { checkSoon: () => watch.checkSoon(), proveWell: () => watch.proveWell() };
}

class Watch {
  readonly #options: Options;
  #isWell = true;
  #checkedAt = Number.NEGATIVE_INFINITY;
  #provedAt = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Whether a check is running or scheduled at once. */
  #isSoon = false;

  constructor(options: Options) {
    this.#options = options;
  }

  checkSoon(): void {
    if (this.#isSoon) return;
    this.#isSoon = true;
    const wait = Math.max(0, this.#checkedAt + AT_ONCE_MS - performance.now());
    this.#schedule(wait);
  }

  proveWell(): void {
    this.#provedAt = performance.now();
    // The proof ends a known problem, so that its notice disappears at once.
    if (!this.#isWell) this.checkSoon();
  }

  #schedule(wait: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#run(), wait);
  }

  async #run(): Promise<void> {
    const isProved = this.#isWell && performance.now() - this.#provedAt < WELL_MS;
    if (document.hidden) {
      this.#isSoon = false;
      return;
    }
    if (this.#isSoon || !isProved) await this.#check();
    this.#isSoon = false;
    this.#schedule(this.#isWell ? WELL_MS : RETRY_MS);
  }

  async #check(): Promise<void> {
    this.#checkedAt = performance.now();
    try {
      const services = await this.#options.check();
      this.#isWell = services.unavailable.length === 0 && !services.isKafkaUnavailable;
      this.#options.onChecked(services);
    } catch {
      this.#isWell = false;
      this.#options.onChecked(undefined);
    }
  }
}
