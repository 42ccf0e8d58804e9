/** Maximum time that executions may occupy one iteration of the event loop, in milliseconds. */
const BUSY_MS = 5;
/**
 * The same for a catch-up or a costly stream. A query takes several iterations, and each of them may last
 * longer by this time.
 */
const PATIENT_MS = 2;
/**
 * Pause after executions of catch-ups, as a multiple of their time. Catch-ups thus use at most a
 * quarter of a core, and wait until their events are executed before they request more.
 */
const PATIENCE = 3;

/**
 * Shares the event loop among the executions of all streams, so that other requests are answered in
 * between. Executions that must wait continue one per iteration of the event loop, in order of
 * arrival, however many streams there are. Those of catch-ups are patient: they always wait, and
 * make pauses.
 */
export class EventTurns {
  readonly #patience: number;
  readonly #busyMs: number;
  readonly #waiting: (() => void)[] = [];
  readonly #patient: (() => void)[] = [];
  #iteration = 0;
  #spentMs = 0;
  /** Time from which the next patient execution may continue, by `performance.now()`. */
  #patientAt = 0;
  #isScheduled = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param patience see `PATIENCE` @param busyMs see `BUSY_MS` */
  constructor(patience = PATIENCE, busyMs = BUSY_MS) {
    this.#patience = patience;
    this.#busyMs = busyMs;
  }

  /** Number of the current iteration, for `spend`. */
  get iteration(): number {
    return this.#iteration;
  }

  /** Whether this iteration of the event loop has been used up. */
  mustWait(isPatient: boolean): boolean {
    return this.#spentMs >= (isPatient ? PATIENT_MS : this.#busyMs);
  }

  /** Resolves at the caller's turn, in a later iteration of the event loop. */
  next(isPatient: boolean): Promise<void> {
    return new Promise((resolve) => {
      (isPatient ? this.#patient : this.#waiting).push(resolve);
      this.#schedule();
    });
  }

  /**
   * Call after each execution. The time counts only if the execution ended in the iteration in
   * which it began: otherwise it has waited for a subgraph.
   */
  spend(iteration: number, ms: number, isPatient: boolean): void {
    if (iteration !== this.#iteration) return;
    this.#spentMs += ms;
    if (isPatient) {
      this.#patientAt = Math.max(this.#patientAt, performance.now()) + ms * this.#patience;
    }
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#iterate());
  }

  #iterate(): void {
    this.#isScheduled = false;
    this.#iteration += 1;
    this.#spentMs = 0;
    this.#waiting.shift()?.();
    if (this.#patient.length > 0) this.#continuePatient();
    if (this.#waiting.length > 0) this.#schedule();
  }

  #continuePatient(): void {
    const waitMs = this.#patientAt - performance.now();
    if (waitMs < 1) {
      this.#patient.shift()?.();
      if (this.#patient.length > 0) this.#schedule();
      return;
    }
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#schedule();
    }, waitMs);
  }
}

/** Time after which the messages of one websocket wait for the next turn, in milliseconds. */
const TURN_MS = 2;

/** A websocket whose messages are handled in turns. */
export interface PausableSocket {
  readonly pause: () => void;
  readonly resume: () => void;
}

/**
 * Shares the event loop between the messages of several websockets and all other work. Without turns, Node
 * reads from a websocket until it is empty: thousands of messages that arrived together occupied one
 * iteration of the event loop for up to 130 ms. A websocket that has taken 2 ms is not read until its next
 * turn; what has been read by then, up to 64 KiB, is still handled. Websockets continue one at a time, in
 * order of arrival.
 */
export class ReadTurns {
  readonly #patience: number;
  readonly #paused = new Set<PausableSocket>();
  /** Time that each websocket has taken in this iteration, in milliseconds. */
  readonly #spent = new Map<PausableSocket, number>();
  /** Time of the turns since the last pause, in milliseconds. */
  #takenMs = 0;
  #isScheduled = false;
  #isPausing = false;

  /** @param patience pause between two turns, as a multiple of the time of a turn */
  constructor(patience = 0) {
    this.#patience = patience;
  }

  /** Handles a message. */
  run(socket: PausableSocket, handle: () => void): void {
    const since = performance.now();
    try {
      handle();
    } finally {
      const ms = (this.#spent.get(socket) ?? 0) + performance.now() - since;
      this.#spent.set(socket, ms);
      if (ms >= TURN_MS && !this.#paused.has(socket)) {
        this.#paused.add(socket);
        socket.pause();
      }
      this.#schedule();
    }
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#endIteration());
  }

  #endIteration(): void {
    this.#isScheduled = false;
    for (const ms of this.#spent.values()) if (ms >= TURN_MS) this.#takenMs += ms;
    this.#spent.clear();
    if (this.#isPausing) return;
    const pauseMs = this.#takenMs * this.#patience;
    this.#takenMs = 0;
    if (this.#paused.size === 0 || pauseMs < 1) {
      this.#continue();
      return;
    }
    this.#isPausing = true;
    setTimeout(() => {
      this.#isPausing = false;
      this.#continue();
    }, pauseMs);
  }

  #continue(): void {
    const [socket] = this.#paused;
    if (socket === undefined) return;
    this.#paused.delete(socket);
    socket.resume();
    if (this.#paused.size > 0) this.#schedule();
  }
}
