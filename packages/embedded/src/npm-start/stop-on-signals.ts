import { killChildren } from '../processes/child.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const DEADLINE_MS = 4800;

/**
 * The first signal stops in order and ends the process; a second one, or 4.8 s, ends whatever is left at once.
 * Returns whether a signal has come.
 */
export function stopOnSignals(stop: () => Promise<void>, tell: (line: string) => void) {
  let stopping = false;
  const leave = (code: number) => {
    killChildren();
    process.exit(code);
  };
  const onSignal = () => {
    if (stopping) leave(130);
    stopping = true;
    tell('Stopping (once more to stop at once)');
    setTimeout(() => leave(1), DEADLINE_MS).unref();
    stop().then(
      () => leave(0),
      () => leave(1),
    );
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return () => stopping;
}
