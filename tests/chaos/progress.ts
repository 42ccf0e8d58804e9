/** The line of a terminal that says what is going on; elsewhere, such as in a log file, it says nothing. */
export interface Progress {
  readonly stop: () => void;
}

const ERASE = '\r\u001b[K';

export function startProgress(doing: string, terminal = process.stdout): Progress {
  if (!terminal.isTTY) return { stop: () => {} };
  const began = performance.now();
  const show = (): void => {
    const seconds = ((performance.now() - began) / 1_000).toFixed(0);
    // One line: a longer one could not be erased.
    const line = `${doing} … ${seconds} s`.slice(0, terminal.columns - 1);
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
