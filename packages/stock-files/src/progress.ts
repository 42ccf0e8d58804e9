/** Interval between two updates, in milliseconds. */
const INTERVAL_MS = { terminal: 200, file: 5_000 };
const CLEAR = '\r\u001b[2K';

/** Shows how far an import or export is. */
export interface Progress {
  /** Writes a permanent line. */
  readonly print: (line: string) => void;
  /** @param total undefined if it is unknown */
  readonly update: (rows: number, total: number | undefined, refused?: number) => void;
}

/** @param out standard error: standard output may be the exported file */
export function createProgress(
  out: Pick<NodeJS.WriteStream, 'isTTY' | 'write'>,
  now: () => number = Date.now,
): Progress {
  const startedAt = now();
  let first: number | undefined;
  let nextAt = startedAt + (out.isTTY ? 0 : INTERVAL_MS.file);
  return {
    print: (line) => void out.write(`${out.isTTY ? CLEAR : ''}${line}\n`),
    update: (rows, total, refused = 0) => {
      first ??= rows;
      if (now() < nextAt) return;
      nextAt = now() + (out.isTTY ? INTERVAL_MS.terminal : INTERVAL_MS.file);
      const rate = Math.round(((rows - first) * 1_000) / Math.max(1, now() - startedAt));
      const of = total === undefined ? '' : ` of ${total}`;
      const line = `${rows}${of} rows, ${rate} a second${refused === 0 ? '' : `, ${refused} refused`}`;
      out.write(out.isTTY ? `${CLEAR}${line}` : `${line}\n`);
    },
  };
}
