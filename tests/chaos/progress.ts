/** A progress line on the terminal. Prints nothing if stdout is not a terminal. */
export interface Progress {
  readonly stop: () => void;
}

const ERASE = '\r\u001b[K';

export function startProgress(activity: string, terminal = process.stdout): Progress {
  if (!terminal.isTTY) return { stop: () => {} };
  const began = performance.now();
  const show = (): void => {
    const seconds = ((performance.now() - began) / 1_000).toFixed(0);
    // The text is cut to one line, because ERASE cannot erase a wrapped line.
    const line = `${activity} … ${seconds} s`.slice(0, terminal.columns - 1);
    terminal.write(`${ERASE}${line}`);
  };
  show();
  const timer = setInterval(show, 1_000);
  return {
    stop: () => {
      clearInterval(timer);
      terminal.write(ERASE);
    },
  };
}
