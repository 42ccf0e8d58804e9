const REDRAW_MS = 250;
/** Time after which a step counts as slow and is shown, in milliseconds. */
const SHOW_AFTER_MS = 600;
const CLEAR = '\r\u001b[2K';

/** Shows slow steps on the last line of a terminal. Writes no steps if the output is not a terminal. */
export interface Progress {
  /** Begins or updates a step. Example: `kafka`, `Fetching Apache Kafka: 12 of 43 MB`. */
  readonly step: (name: string, text: string) => void;
  readonly done: (name: string) => void;
  /** Writes permanent text above the steps. */
  readonly print: (text: string) => void;
}

/** Shows a step until the work has ended. The work may update the step's text. */
export async function showWhile<T>(
  { step, done }: Pick<Progress, 'step' | 'done'>,
  [name, text]: readonly [name: string, text: string],
  work: () => Promise<T>,
): Promise<T> {
  step(name, text);
  try {
    return await work();
  } finally {
    done(name);
  }
}

interface Step {
  readonly begun: number;
  readonly text: string;
}

export function createProgress(
  out: Pick<NodeJS.WriteStream, 'isTTY' | 'columns' | 'write'>,
  now: () => number = Date.now,
): Progress {
  const steps = new Map<string, Step>();
  let timer: NodeJS.Timeout | undefined;
  let drawn = false;

  const clear = (): void => {
    if (drawn) out.write(CLEAR);
    drawn = false;
  };
  const draw = (): void => {
    const slow = [...steps.values()].filter(({ begun }) => now() - begun >= SHOW_AFTER_MS);
    clear();
    if (slow.length === 0) return;
    const texts = slow.map(
      ({ begun, text }) => `${text} (${Math.floor((now() - begun) / 1000)} s)`,
    );
    out.write(`  … ${texts.join(' · ')}`.slice(0, (out.columns || 80) - 1));
    drawn = true;
  };

  return {
    step: (name, text) => {
      if (!out.isTTY) return;
      steps.set(name, { begun: steps.get(name)?.begun ?? now(), text });
      // The timer must not keep the process alive.
      timer ??= setInterval(draw, REDRAW_MS).unref();
    },
    done: (name) => {
      steps.delete(name);
      clear();
      if (steps.size > 0) return;
      clearInterval(timer);
      timer = undefined;
    },
    print: (text) => {
      clear();
      out.write(text);
    },
  };
}
