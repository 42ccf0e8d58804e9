/** Interval between status lines if stdout is not a terminal, in milliseconds. */
const PLAIN_EVERY_MS = 5_000;

/** A status line that is updated in place at the bottom of the terminal. Notes are printed above it. */
export interface StatusLine {
  readonly update: (text: string) => void;
  /** Prints a line that starts with the time and stays on the screen. */
  readonly note: (text: string) => void;
  /** Stops the updates. The last status stays on the screen. */
  readonly end: () => void;
}

export function createStatusLine(
  out: Pick<NodeJS.WriteStream, 'isTTY' | 'columns' | 'write'> = process.stdout,
): StatusLine {
  const clear = out.isTTY ? '\r\u001b[2K' : '';
  let shown = '';
  let lastPlain = Number.NEGATIVE_INFINITY;
  return {
    update: (text) => {
      shown = text;
      if (out.isTTY) out.write(`${clear}${text.slice(0, (out.columns || 80) - 1)}`);
      else if (performance.now() - lastPlain > PLAIN_EVERY_MS) {
        lastPlain = performance.now();
        out.write(`${text}\n`);
      }
    },
    note: (text) => {
      const time = new Date().toTimeString().slice(0, 8);
      out.write(`${clear}${time}  ${text}\n${out.isTTY ? shown : ''}`);
    },
    end: () => {
      if (out.isTTY) out.write('\n');
      else if (shown) out.write(`${shown}\n`);
    },
  };
}
