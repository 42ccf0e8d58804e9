/** Raises the default time-out of `vi.waitFor`. The default of 1 s is too short on a loaded machine. */
import { vi } from 'vitest';

const TIMEOUT_MS = 10_000;

const waitFor = vi.waitFor.bind(vi);
vi.waitFor = (callback, options) =>
  waitFor(callback, {
    timeout: TIMEOUT_MS,
    ...(typeof options === 'number' ? { timeout: options } : options),
  });
